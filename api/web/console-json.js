// JSON for people: payloads set out, and the place in a text where something is wrong. Pure.

/** A text set out over lines if it is JSON; else as it is. */
export function pretty(text) {
  try {
    return { text: JSON.stringify(JSON.parse(text), null, 2), json: true };
  } catch {
    return { text, json: false };
  }
}

/** {value}, or {problem: {line, detail}}, of a text that should be a JSON object. */
export function readObject(text) {
  try {
    const value = JSON.parse(text);
    if (value === null || typeof value !== "object" || Array.isArray(value))
      return { problem: { line: 1, detail: "this must be an object: { … }" } };
    return { value };
  } catch (error) {
    return { problem: { line: lineOf(error.message, text), detail: error.message.replace(/^JSON\.parse: /, "") } };
  }
}

function lineOf(message, text) {
  const line = /line (\d+)/.exec(message);
  if (line) return Number(line[1]);
  const place = /position (\d+)/.exec(message);
  return text.slice(0, place ? Number(place[1]) : text.length).split("\n").length;
}

/** The names of a JSON Pointer in a URI fragment: "#/data/name" is ["data", "name"]. */
export const namesOf = (pointer) => pointer.replace(/^#?\/?/, "").split("/").filter(Boolean).map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));

/** The line of a set-out object on which the value a path leads to begins; 0 where there is none. */
export function lineAt(text, names) {
  const lines = text.split("\n");
  let from = 0;
  for (const name of names) {
    const found = lines.findIndex((line, i) => i >= from && line.includes(`${JSON.stringify(name)}`) && line.includes(":"));
    if (found < 0) return from;
    from = found + 1;
  }
  return from;
}
