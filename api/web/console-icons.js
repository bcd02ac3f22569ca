// Shapes. A state is told by its shape and its word, never by colour alone.
import { h } from "/web/console-dom.js";

const LINES = {
  inapp: "M4 5h16v11H9l-5 4V5Z",
  push: "M12 3a6 6 0 0 0-6 6v4l-2 3.5h16L18 13V9a6 6 0 0 0-6-6ZM10 19.5a2.2 2.2 0 0 0 4 0",
  sms: "M8 2.5h8a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5ZM10.5 18.5h3",
  email: "M3 6h18v12H3V6Zm0 .5 9 6.5 9-6.5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20",
  close: "M6 6l12 12M18 6 6 18",
  download: "M12 4v11m-4.5-4 4.5 4.5 4.5-4.5M5 20h14",
  away: "M12 3 2.5 20h19L12 3Zm0 6.5v5m0 2.6v.4",
  key: "M14.5 9.5a4.5 4.5 0 1 0-3.2 4.3L13 15.5h2v2h2v2h3.5v-3.2l-6.2-6.1Z",
  none: "M4 13h4l1.5 3h5L16 13h4M4 13l2.5-8h11L20 13v6H4v-6Z",
};

const SHAPES = {
  good: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1 9.9L3.9 7.8l1.2-1.2L7 8.5l4-4 1.2 1.2L7 10.9Z",
  bad: "M8 1 .6 14.2h14.8L8 1Zm-.9 4.8h1.8v4.4H7.1V5.8Zm0 5.4h1.8V13H7.1v-1.8Z",
  half: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.8v10.4A5.2 5.2 0 0 1 8 2.8Z",
  wait: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8Zm-.8 1.6v4.1l3 2 .8-1.2-2.3-1.5V4.4H7.2Z",
  off: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8ZM4.8 7.1v1.8h6.4V7.1H4.8Z",
  go: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM6.2 4.9 11.4 8l-5.2 3.1V4.9Z",
};

const OF_STATE = {
  delivered: "good", closed: "good", acked: "good",
  failed: "bad", open: "bad",
  half_open: "half", retrying: "half", retry: "half",
  deferred: "wait", sending: "go", accepted: "go", routed: "go",
  suppressed: "off", expired: "off", cancelled: "off",
};

export const icon = (name) => h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: LINES[name] }));

export const toneOf = (state) => OF_STATE[state] ?? "go";

/** A shape of a tone: good, bad, half, wait, off, go. */
export const shape = (tone) => h("svg", { class: "shape", "data-tone": tone, viewBox: "0 0 16 16", "aria-hidden": "true" }, h("path", { d: SHAPES[tone], "fill-rule": "evenodd" }));

/** A state as shape and word. */
export const state = (name, said = name.replace("_", "-")) => h("span", { class: "said", "data-tone": toneOf(name) }, shape(toneOf(name)), said);
