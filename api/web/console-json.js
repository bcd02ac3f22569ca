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
    const detail = error.message.replace(/^JSON\.parse: |,? (\.\.\.)?"[^]* is not valid JSON$| in JSON at position[^]*| at line[^]*/g, "");
    return { problem: { line: lineOf(text), detail: `not JSON: ${detail}` } };
  }
}

const [STRING, ATOM] = [/"(?:[^"\\\n]|\\.)*"/y, /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y];

/** The line on which a text stops being JSON. Engines tell it each in its own way, or not at all. */
function lineOf(text) {
  let at = 0;
  const eat = (pattern) => {
    const sticky = new RegExp(pattern, "y");
    sticky.lastIndex = at;
    const found = sticky.test(text);
    if (found) at = sticky.lastIndex;
    return found;
  };
  const space = () => eat(/\s*/);
  const list = (item, end) => {
    if (space() && eat(end)) return true;
    do if (!item()) return false;
    while (space() && eat(/,/));
    return eat(end);
  };
  const member = () => space() && eat(STRING) && space() && eat(/:/) && value();
  const value = () => {
    space();
    if (eat(/\{/)) return list(member, /\}/);
    if (eat(/\[/)) return list(value, /\]/);
    return eat(STRING) || eat(ATOM);
  };
  if (value()) space();
  return text.slice(0, at).split("\n").length;
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
