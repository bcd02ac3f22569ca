// Figures over time, in SVG: stacked bars or lines, with axes, a read-out under the pointer or the arrow keys, and the
// same as a table for whoever does not see it.
import { h } from "/web/console-dom.js";
import { compact, dayOf, hourOf, local } from "/web/console-format.js";
import { decades, ticks, times } from "/web/console-scale.js";

const PAD = { left: 50, right: 8, top: 10, bottom: 22 };
const DAY = 86_400_000;

let changed = () => {};
const widths = new Map();
const shown = new Map(); // chart -> the point read out
const seen = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const width = Math.round(contentRect.width);
    if (width > 0 && widths.get(target.dataset.chart) !== width) [widths.set(target.dataset.chart, width), changed()];
  }
});

/** What is to be called when a chart wants to be drawn anew. */
export const onChart = (redraw) => (changed = redraw);

/**
 * `points` are [{at, values: {name: number or null}}] in the order of time, `series` [{name, label}] from the bottom
 * up, `kind` "bars" (stacked, each as long as `step` milliseconds) or "lines"; `log` for what spans decades.
 */
export function timeChart({ id, label, points, series, kind = "bars", format = compact, log = false, step = 0, height = 220 }) {
  const width = widths.get(id) ?? 640;
  const frame = { width, height, from: points[0]?.at ?? 0, to: (points.at(-1)?.at ?? 1) + step, log };
  const axis = scale(points, series, kind, frame);
  const at = shown.get(id);
  const here = at === undefined ? undefined : points[at];
  const draw = kind === "bars" ? bars : lines;
  const picture = h("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    grid(axis, frame, format), here && cursor(frame.x(here.at + step / 2), height), draw(points, series, frame, axis.y, step));
  const plot = h("div", { class: "plot", "data-chart": id, tabindex: 0, role: "img", "aria-label": summary(label, points, series, format), hook: (node) => seen.observe(node), on: reading(id, points, frame, step) },
    picture, here && readOut(here, series, format, frame.x(here.at + step / 2), width));
  return h("figure", { class: "chart", key: id }, plot, h("figcaption", {}, legend(series), asTable(id, points, series, format)));
}

function scale(points, series, kind, frame) {
  const values = points.flatMap(({ values: of }) => {
    const each = series.map(({ name }) => of[name]).filter((n) => n > 0);
    return kind === "bars" ? [each.reduce((a, b) => a + b, 0)] : each;
  });
  const marks = frame.log ? decades(Math.min(...values, 1e9), Math.max(...values, 1)) : ticks(Math.max(...values, 0));
  const place = frame.log ? Math.log10 : Number;
  const [low, high] = [place(marks[0]), place(marks.at(-1))];
  const room = frame.height - PAD.top - PAD.bottom;
  frame.x = (at) => PAD.left + ((at - frame.from) / Math.max(1, frame.to - frame.from)) * (frame.width - PAD.left - PAD.right);
  return { marks, y: (n) => PAD.top + room - ((place(Math.max(n, frame.log ? marks[0] : 0)) - low) / (high - low)) * room };
}

function grid({ marks, y }, frame, format) {
  const { at, step } = times(frame.from, frame.to, Math.max(2, Math.floor(frame.width / 90)));
  return h("g", { class: "grid" },
    marks.map((n) => [h("line", { x1: PAD.left, x2: frame.width - PAD.right, y1: y(n), y2: y(n) }), h("text", { x: PAD.left - 8, y: y(n) + 4, "text-anchor": "end" }, format(n))]),
    at.filter((ms) => frame.x(ms) > PAD.left + 16 && frame.x(ms) < frame.width - 26).map((ms) => h("text", { x: frame.x(ms), y: frame.height - 5, "text-anchor": "middle" }, step >= DAY || new Date(ms).getHours() + new Date(ms).getMinutes() === 0 ? dayOf(ms) : hourOf(ms))));
}

const cursor = (x, height) => h("line", { class: "cursor", x1: x, x2: x, y1: PAD.top, y2: height - PAD.bottom });

function bars(points, series, frame, y, step) {
  const wide = Math.max(1, frame.x(frame.from + step) - frame.x(frame.from) - (points.length > 90 ? 0.5 : 2));
  return points.map(({ at, values }) => {
    let below = 0;
    return series.map(({ name }) => {
      const n = values[name] ?? 0;
      const [low, high] = [below, (below += n)];
      return n > 0 && h("rect", { class: "bar", "data-series": name, x: (frame.x(at) + 1).toFixed(1), y: y(high).toFixed(1), width: wide.toFixed(1), height: Math.max(0.5, y(low) - y(high)).toFixed(1) });
    });
  });
}

function lines(points, series, frame, y, step) {
  return series.map(({ name }) => {
    let pen = "M";
    const path = points.map(({ at, values }) => {
      if (!(values[name] > 0)) return (pen = "M"), "";
      const said = `${pen}${frame.x(at + step / 2).toFixed(1)},${y(values[name]).toFixed(1)}`;
      const dot = pen === "M" ? "h.01" : ""; // so that one alone is seen
      pen = "L";
      return said + dot;
    });
    return h("path", { class: "line", "data-series": name, d: path.join("") });
  });
}

function reading(id, points, frame, step) {
  const read = (index) => shown.get(id) !== index && [index === null ? shown.delete(id) : shown.set(id, index), changed()];
  return {
    pointermove: (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      const share = (event.clientX - box.left - PAD.left) / Math.max(1, box.width - PAD.left - PAD.right);
      const at = frame.from + share * (frame.to - frame.from) - step / 2;
      const near = points.reduce((best, each, i) => (Math.abs(each.at - at) < Math.abs(points[best].at - at) ? i : best), 0);
      if (points.length) read(near);
    },
    pointerleave: () => read(null),
    blur: () => read(null),
    keydown: (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
      if (event.key === "Escape") return read(null);
      if (move === undefined || !points.length) return;
      event.preventDefault();
      read(Math.min(points.length - 1, Math.max(0, (shown.get(id) ?? points.length) + move)));
    },
  };
}

function readOut({ at, values }, series, format, x, width) {
  const side = x > width / 2 ? { right: `${width - x + 12}px` } : { left: `${x + 12}px` };
  const rows = series.filter(({ name }) => values[name] > 0).toReversed();
  return h("div", { class: "read-out", style: side, role: "status" }, h("b", {}, local(at)),
    rows.length === 0 && h("span", { class: "soft" }, "nothing"),
    rows.map(({ name, label }) => h("div", {}, h("i", { "data-series": name }), h("span", {}, label), h("b", {}, format(values[name])))));
}

const legend = (series) => h("ul", { class: "legend" }, series.map(({ name, label }) => h("li", {}, h("i", { "data-series": name }), label)));

function summary(label, points, series, format) {
  if (!points.length) return `${label}: nothing yet`;
  const most = series.map(({ name, label: said }) => `${said} at most ${format(Math.max(0, ...points.map((each) => each.values[name] ?? 0)))}`);
  return `${label}, ${local(points[0].at)} to ${local(points.at(-1).at)}: ${most.join(", ")}. Arrow keys read it out.`;
}

const opened = new Set();

function asTable(id, points, series, format) {
  const toggle = (event) => (event.target.open ? opened.add(id) : opened.delete(id), changed());
  const rows = opened.has(id) && points.filter(({ values }) => series.some(({ name }) => values[name] > 0)).toReversed();
  return h("details", { on: { toggle } }, h("summary", {}, "As a table"),
    rows && h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, "From"), series.map(({ label }) => h("th", { class: "number" }, label)))),
      h("tbody", {}, rows.map(({ at, values }) => h("tr", {}, h("td", {}, local(at)), series.map(({ name }) => h("td", { class: "number" }, format(values[name] ?? 0)))))))));
}
