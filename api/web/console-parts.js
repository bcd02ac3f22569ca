// What every view is made of: panels with their states, tables, problems, the question for a token.
import { session } from "/web/console-api.js";
import { h } from "/web/console-dom.js";
import { ago, local, time } from "/web/console-format.js";
import { icon } from "/web/console-icons.js";

const OLD_MS = 20_000;

export const button = (said, click, more = {}) => h("button", { type: "button", class: "button", ...more, on: { click } }, said);

/** A panel with a heading; `aside` stands at its end. */
export function panel({ title, about, aside, key, kind = "" }, ...inside) {
  const head = title && h("header", { class: "panel-head" }, h("h2", {}, title), about && h("span", { class: "soft" }, about), aside && h("div", { class: "aside" }, aside));
  return h("section", { class: `panel ${kind}`, key, "aria-label": title }, head, inside);
}

/** What a source has, as `draw` shows it; else that it is on its way, or why it cannot be had. */
export function from(source, draw, { rows = 4, empty } = {}) {
  const { data, problem } = source;
  if (problem?.locked) return askToken(problem);
  if (data === null) return problem ? trouble(problem, () => source.ask()) : skeleton(rows);
  const shown = draw(data);
  return [stale(source), shown === null && empty ? nothing(...empty) : shown];
}

/** That what is shown is not of now, and of when it is. */
export function stale(source) {
  if (!source.problem || source.data === null) return null;
  const old = Date.now() - source.at > OLD_MS ? ` Shown is what was known ${ago(source.at)}.` : "";
  return h("p", { class: "stale", role: "status" }, icon("away"), h("span", {}, source.problem.message, old));
}

export const skeleton = (rows = 3) => h("div", { class: "skeleton", role: "status", "aria-label": "loading" }, Array.from({ length: rows }, () => h("i", {})));

/** Nothing to show, and what to do about it. */
export const nothing = (title, ...hint) => h("div", { class: "nothing" }, icon("none"), h("b", {}, title), h("p", {}, hint));

/** An error as problem details tell it, the places it names among it. */
export function trouble(problem, retry) {
  return h("div", { class: "trouble", role: "alert" },
    icon("away"),
    h("div", {},
      h("b", {}, problem.title ?? "That did not work"),
      h("p", {}, problem.message),
      problem.errors?.length > 0 && h("ul", {}, problem.errors.map((each) => h("li", {}, h("code", {}, each.pointer), ` ${each.detail}`))),
      problem.incident && h("p", { class: "soft" }, "The logs know it as ", h("code", {}, problem.incident), "."),
      retry && button("Try again", retry)));
}

/** A form that takes a token and has everything asked again. */
export function askToken(problem, said) {
  const submit = (event) => {
    event.preventDefault();
    session.token = event.target.elements.token.value.trim();
    document.dispatchEvent(new Event("token"));
  };
  const refused = problem?.status === 403 ? problem.message : session.token ? "The token is not, or no more, good for this." : null;
  return h("form", { class: "ask-token", on: { submit } },
    icon("key"),
    h("div", {},
      h("b", {}, said ?? "This needs a token"),
      h("p", {}, "In a terminal, ", h("code", {}, "tocsin console"), " prints an address that brings one along. Or paste a service’s token here; it is kept in this tab only."),
      refused && h("p", { class: "wrong", role: "alert" }, refused),
      h("div", { class: "row" },
        h("input", { name: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-label": "Token", placeholder: "eyJ…" }),
        h("button", { class: "button primary" }, "Go on"))));
}

/**
 * A table. Of each column: `title`, `cell(row)`, and `kind` ("number", "wide", "tight"). `keyOf(row)` recognises a row;
 * `below(row)` is shown under one; `rowProps(row)` are the row's own.
 */
export function table({ columns, rows, keyOf, label, below, rowProps }) {
  const head = h("thead", {}, h("tr", {}, columns.map((column) => h("th", { class: column.kind, scope: "col" }, column.head ?? column.title))));
  const drawn = rows.map((row) => {
    const key = keyOf(row);
    const more = below?.(row);
    const cells = columns.map((column) => h("td", { class: column.kind, "data-title": column.title }, column.cell(row)));
    return [h("tr", { key, ...rowProps?.(row) }, cells), more && h("tr", { key: `${key} below`, class: "below" }, h("td", { colspan: columns.length }, more))];
  });
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, h("table", {}, head, h("tbody", {}, drawn)));
}

/** A choice of few, as buttons in a row. */
export function choice(label, options, chosen, choose) {
  return h("div", { class: "choice", role: "group", "aria-label": label },
    options.map(([value, said]) => h("button", { type: "button", "aria-pressed": String(value === chosen), on: { click: () => choose(value) } }, said)));
}

/** When something was, and how long ago. */
export const since = (at) => time(at, (ms) => `${local(ms)} · ${ago(ms)}`);

/** What is said in passing, to those who look and those who listen. */
export function tell(text, kind = "good") {
  const host = document.getElementById("told");
  const line = document.createElement("p");
  line.dataset.kind = kind;
  line.textContent = text;
  host.append(line);
  setTimeout(() => line.remove(), 7_000);
}
