// What a question's answer looks like: how each column is read, and which picture fits. Pure.
import { channelName, moment, number, percent, span, time } from "/web/console-format.js";

const NUMBER = /^(Nullable\()?(U?Int|Float|Decimal)/;
const TIME = /^(Nullable\()?Date/;
const SHARE = /(^|_)(rate|ctr|share|ratio|low|high|lower|upper)$/;
const STEPS = [["accepted"], ["delivered"], ["opened", "opens"], ["clicked", "human_clicked", "clicks", "human_clicks"], ["converted", "conversions"]];

const is = (pattern) => ({ type }) => pattern.test(type.replace(/^LowCardinality\(/, ""));
export const isNumber = is(NUMBER);
export const isTime = is(TIME);

/** How a value of a column is shown; `rows` tell whether a share is one. */
export function reader(column, at, rows) {
  if (isTime(column)) return (value) => (value ? time(value) : "–");
  if (column.name === "channel") return channelName;
  if (!isNumber(column)) return (value) => (value === null || value === "" ? "–" : String(value));
  if (/_ms$/.test(column.name)) return span;
  if (/(^|_)seconds?$|_s$/.test(column.name)) return (value) => span(value === null ? null : value * 1000);
  const small = rows.every((row) => row[at] === null || (Number(row[at]) >= 0 && Number(row[at]) <= 1));
  return SHARE.test(column.name) && small ? percent : number;
}

/** {kind, …} of the picture of an answer, or null where a table says it all. */
export function picture(columns, rows) {
  if (!rows.length) return null;
  return steps(columns, rows) ?? intervals(columns, rows) ?? overTime(columns, rows) ?? lengths(columns, rows);
}

const label = (columns, row) => columns.map((column, i) => [column, row[i]]).filter(([column, value]) => !isNumber(column) && !isTime(column) && value !== null && value !== "").map(([column, value]) => (column.name === "channel" ? channelName(value) : value)).join(" · ") || "all";
const versioned = (columns, row) => {
  const at = columns.findIndex(({ name }) => /version$/.test(name));
  return at < 0 ? label(columns, row) : `${label(columns, row)} · version ${row[at]}`;
};
const sum = (rows, at) => rows.reduce((all, row) => all + Number(row[at] ?? 0), 0);

function steps(columns, rows) {
  const named = STEPS.map((names) => columns.findIndex(({ name }) => names.includes(name))).filter((at) => at >= 0);
  const first = columns.findIndex(({ name }) => /^(step|stage)$/.test(name));
  const value = columns.findIndex(isNumber);
  if (first >= 0 && value >= 0 && rows.length < 20) return { kind: "funnel", steps: rows.map((row) => ({ label: String(row[first]), value: Number(row[value]) })) };
  if (named.length < 3) return null;
  return { kind: "funnel", steps: named.map((at) => ({ label: columns[at].name.replaceAll("_", " "), value: sum(rows, at) })) };
}

/** Every `x` with `x_low` and `x_high`: human beside raw. */
function intervals(columns, rows) {
  const at = (name) => columns.findIndex((column) => column.name === name);
  const found = columns.map(({ name }) => ({ name, mid: at(name), low: at(`${name}_low`), high: at(`${name}_high`) })).filter(({ low, high }) => low >= 0 && high >= 0);
  if (!found.length) return null;
  const marks = (row) => found.map(({ name, mid, low, high }) => ({ name: /raw|all/.test(name) ? "raw" : "human", label: name.replace(/_?ctr_?/, " ").replaceAll("_", " ").trim() || "rate", low: Number(row[low]), mid: Number(row[mid]), high: Number(row[high]) })).filter((mark) => [mark.low, mark.mid, mark.high].every(Number.isFinite));
  return { kind: "whiskers", rows: rows.slice(0, 20).map((row) => ({ label: versioned(columns, row), marks: marks(row) })) };
}

function overTime(columns, rows) {
  const at = columns.findIndex(isTime);
  const values = columns.map((column, i) => [column, i]).filter(([column]) => isNumber(column));
  if (at < 0 || !values.length || rows.length < 3) return null;
  const [[, value]] = values;
  const named = rows.map((row) => ({ at: moment(row[at]), name: label(columns, row), value: Number(row[value] ?? 0) }));
  const totals = new Map();
  for (const { name, value: n } of named) totals.set(name, (totals.get(name) ?? 0) + n);
  const most = [...totals].sort((a, b) => b[1] - a[1]).slice(0, 6).map(([name]) => name);
  const marks = [...new Set(named.map((each) => each.at))].sort((a, b) => a - b);
  const step = Math.min(...marks.slice(1).map((each, i) => each - marks[i]), 86_400_000);
  return { kind: "time", rows: named.filter(({ name }) => most.includes(name)), names: most, from: marks[0], to: marks.at(-1), step: Math.max(step, 60_000), about: columns[value].name };
}

const RATHER = ["cost", "total_cost", "deliveries", "clicks", "count", "conversions", "messages"];

function lengths(columns, rows) {
  const numbers = columns.map((column, i) => ({ column, i })).filter(({ column }) => isNumber(column) && !/version|hour|bucket|second/.test(column.name));
  const words = columns.some((column) => !isNumber(column) && !isTime(column));
  const chosen = RATHER.map((name) => numbers.find(({ column }) => column.name === name)).find(Boolean) ?? numbers[0];
  if (!chosen || rows.length < 2 || rows.length > 60) return null;
  const named = words ? (row) => label(columns, row) : (row) => reader(columns[0], 0, rows)(row[0]);
  return { kind: "bars", about: chosen.column.name, format: reader(chosen.column, chosen.i, rows), rows: rows.slice(0, 24).map((row) => ({ label: String(named(row)), value: Number(row[chosen.i] ?? 0) })) };
}
