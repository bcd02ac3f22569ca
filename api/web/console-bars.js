// Small pictures of numbers: a sparkline, shares of a whole, bars beside each other, whiskers.
import { h } from "/web/console-dom.js";
import { compact, count, percent } from "/web/console-format.js";

/** A line without axes; what it shows is also said in words beside it. */
export function sparkline(values, { width = 120, height = 32, series = "all" } = {}) {
  const peak = Math.max(...values, 1);
  const step = width / Math.max(1, values.length - 1);
  const y = (n) => (height - 1.5 - (n / peak) * (height - 4)).toFixed(1);
  const line = values.length > 1 ? `M${values.map((n, i) => `${(i * step).toFixed(1)},${y(n)}`).join("L")}` : "";
  return h("svg", { class: "sparkline", "data-series": series, viewBox: `0 0 ${width} ${height}`, height, preserveAspectRatio: "none", "aria-hidden": "true" },
    h("path", { class: "area", d: line && `${line}L${width},${height}L0,${height}Z` }), h("path", { class: "line", d: line }));
}

/** Parts of a whole in one bar: [{name, label, value}]; the words are said to whoever does not see it. */
export function shares(parts, whole) {
  const said = parts.filter(({ value }) => value > 0).map(({ label, value }) => `${label} ${count(value)}`).join(", ");
  return h("div", { class: "shares", role: "img", "aria-label": said || "nothing", title: said },
    parts.map(({ name, value }) => value > 0 && h("i", { "data-series": name, style: { width: `${Math.min(100, (100 * value) / Math.max(1, whole))}%` } })));
}

/** Bars beside each other: [{label, value, note}], as long as their value. */
export function barRows(rows, format = count) {
  const most = Math.max(...rows.map(({ value }) => value), 0) || 1;
  return h("ol", { class: "bar-rows" }, rows.map(({ label, value, note, series = "all" }) =>
    h("li", { key: label }, h("span", { class: "name", title: label }, label), h("span", { class: "track" }, h("i", { "data-series": series, style: { width: `${Math.max(value > 0 ? 0.5 : 0, (100 * value) / most)}%` } })), h("b", {}, format(value)), h("span", { class: "soft" }, note))));
}

/** A funnel: each step's share of the step before it and of the first. */
export function funnel(steps) {
  return barRows(steps.map((step, i) => {
    const [first, before] = [steps[0].value, steps[i - 1]?.value];
    const note = i === 0 ? "" : [before > 0 && `${percent(step.value / before)} of the step before`, i > 1 && first > 0 && `${percent(step.value / first)} of all`].filter(Boolean).join(" · ");
    return { ...step, note };
  }));
}

/** A square for each hour of the week, the darker the more: `grid` has a row for each of `days`. */
export function weekGrid(days, grid) {
  const most = Math.max(1, ...grid.flat());
  const cell = (n, day, hour) => h("td", { title: `${day} ${hour}:00: ${count(n)}`, style: { "--share": n ? String(0.12 + (0.88 * n) / most) : "0" } }, n > 0 && h("span", {}, compact(n)));
  return h("div", { class: "scroll" }, h("table", { class: "week" },
    h("thead", {}, h("tr", {}, h("th", {}), Array.from({ length: 24 }, (_, hour) => h("th", { scope: "col" }, String(hour))))),
    h("tbody", {}, grid.map((row, i) => h("tr", {}, h("th", { scope: "row" }, days[i]), row.map((n, hour) => cell(n, days[i], hour)))))));
}

const ROW = 46;

/** Shares with the interval they lie in: [{label, marks: [{name, label, low, mid, high}]}]. */
export function whiskers(rows) {
  const most = Math.min(1, Math.max(...rows.flatMap(({ marks }) => marks.map(({ high }) => high)), 0.01) * 1.08);
  const x = (n) => `${(100 * Math.min(n, most)) / most}%`;
  return h("ol", { class: "whiskers" }, rows.map(({ label, marks }) => h("li", { key: label },
    h("span", { class: "name", title: label }, label),
    h("svg", { role: "img", height: ROW, width: "100%", "aria-label": marks.map((m) => `${m.label} ${percent(m.mid)}, between ${percent(m.low)} and ${percent(m.high)}`).join("; ") },
      h("line", { class: "floor", x1: "0", x2: "100%", y1: ROW - 1, y2: ROW - 1 }),
      marks.map((mark, i) => whisker(mark, x, 14 + i * 18))),
    h("span", { class: "values" }, marks.map((m) => h("span", {}, h("i", { "data-series": m.name }), `${m.label} `, h("b", {}, percent(m.mid))))))));
}

function whisker({ name, low, mid, high }, x, y) {
  return h("g", { class: "whisker", "data-series": name },
    h("line", { x1: x(low), x2: x(high), y1: y, y2: y }),
    [low, high].map((end) => h("line", { x1: x(end), x2: x(end), y1: y - 5, y2: y + 5 })),
    h("circle", { cx: x(mid), cy: y, r: 4.5 }));
}
