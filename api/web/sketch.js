// JSON Schema for people: a sketch to read, and a skeleton to fill in.

const DEEPEST = 5;

function resolved(spec, schema) {
  const name = schema.$ref?.split("/").at(-1);
  return name ? spec.components.schemas[name] : schema;
}

/** A schema as lines of `name: type`, `?` where it may be left out. */
export function sketch(spec, schema, indent = "") {
  const found = resolved(spec, schema);
  if (indent.length > DEEPEST * 2) return "…";
  if (found.anyOf) return found.anyOf.map((one) => sketch(spec, one, indent)).join(" | ");
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (found.type === "array") return `[${sketch(spec, found.items ?? {}, indent)}, …]`;
  if (found.type === "object" && found.properties) return fields(spec, found, indent);
  if (found.type === "object") {
    const values = found.additionalProperties;
    return `{"…": ${typeof values === "object" ? sketch(spec, values, indent) : "any"}}`;
  }
  return bounded(found);
}

function fields(spec, schema, indent) {
  const inner = indent + "  ";
  const lines = Object.entries(schema.properties).map(([name, value]) => {
    const mark = schema.required?.includes(name) ? "" : "?";
    return `${inner}${name}${mark}: ${sketch(spec, value, inner)}`;
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function bounded(schema) {
  const kind = schema.format ?? schema.type ?? "any";
  if (schema.pattern) return `${kind} matching ${schema.pattern}`;
  if (schema.maxLength) return `${kind} of ${schema.minLength ?? 0}-${schema.maxLength}`;
  if (schema.minimum !== undefined) return `${kind} ≥ ${schema.minimum}`;
  return kind;
}

/** An example body: what is required, empty. */
export function skeleton(spec, schema) {
  const found = resolved(spec, schema);
  if (found.enum) return found.enum[0];
  if (found.type === "array") return [skeleton(spec, found.items ?? {})];
  if (found.type === "object") {
    const wanted = found.required ?? [];
    return Object.fromEntries(wanted.map((name) => [name, skeleton(spec, found.properties[name])]));
  }
  return { integer: 0, number: 0, boolean: false, "date-time": new Date().toISOString() }[found.format ?? found.type] ?? "";
}
