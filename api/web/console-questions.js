// What a question's answer looks like: how each column is read, and which picture fits. Pure.
import { channelName, moment, number, percent, span, time } from "/web/console-format.js";

const NUMBER = /^(Nullable\()?(U?Int|Float|Decimal)/;
const TIME = /^(Nullable\()?Date/;
const SHARE = /(^|_)(rate|ctr|share|low|high)$/;
const STEPS = [["accepted", "told"], ["delivered"], ["opened"], ["clicked", "clicked_in_1_h"], ["converted"]];
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MOST_BUCKETS = 200;
const WIDTHS = [1, 5, 10, 15, 30, 60, 360, 720, 1440, 10_080].map((minutes) => minutes * 60_000);

const is = (pattern) => ({ type }) => pattern.test(type.replace(/^LowCardinality\(/, ""));
export const isNumber = is(NUMBER);
export const isTime = is(TIME);

/** How a value of a column is shown; `rows` tell whether a share is one. */
export function reader(column, at, rows) {
  if (isTime(column)) return (value) => (value ? time(value) : "–");
  if (column.name === "channel") return channelName;
  if (column.type.startsWith("Array")) return (value) => JSON.stringify(value);
  if (!isNumber(column)) return (value) => (value === null || value === "" ? "–" : String(value));
  if (/_ms$/.test(column.name)) return span;
  if (/(^|_)seconds$/.test(column.name)) return (value) => span(value === null ? null : value * 1000);
  const small = rows.every((row) => row[at] === null || (Number(row[at]) >= 0 && Number(row[at]) <= 1));
  return SHARE.test(column.name) && small ? percent : number;
}

/** {kind, …} of the picture of an answer, or null where a table says it all. */
export function picture(columns, rows) {
  if (!rows.length) return null;
  return steps(columns, rows) ?? intervals(columns, rows) ?? spread(columns, rows) ?? week(columns, rows) ?? overTime(columns, rows) ?? lengths(columns, rows);
}

/** What a row is about: its words, each once, without what only tells of one case. */
function label(columns, row) {
  const told = (column, value) => !isNumber(column) && !isTime(column) && !column.type.startsWith("Array") && column.name !== "example" && value !== null && value !== "";
  const parts = columns.map((column, i) => told(column, row[i]) && (column.name === "channel" ? channelName(row[i]) : row[i]));
  return [...new Set(parts.filter(Boolean))].join(" · ") || "all";
}

const versioned = (columns, row) => {
  const at = columns.findIndex(({ name }) => /version$/.test(name));
  return at < 0 ? label(columns, row) : `${label(columns, row)} · version ${row[at]}`;
};
const sum = (rows, at) => rows.reduce((all, row) => all + Number(row[at] ?? 0), 0);

function steps(columns, rows) {
  const named = STEPS.map((names) => columns.findIndex(({ name }) => names.includes(name))).filter((at) => at >= 0);
  if (named.length < 3) return null;
  return { kind: "funnel", steps: named.map((at) => ({ label: columns[at].name.replaceAll("_", " "), value: sum(rows, at) })) };
}

/** Every `x` with `x_low` and `x_high`: people's beside those of all, machines too. */
function intervals(columns, rows) {
  const at = (name) => columns.findIndex((column) => column.name === name);
  const found = columns.map(({ name }) => ({ name, mid: at(name), low: at(`${name}_low`), high: at(`${name}_high`) })).filter(({ low, high }) => low >= 0 && high >= 0);
  if (!found.length) return null;
  const marks = (row) => found.map(({ name, mid, low, high }) => ({ name: name.startsWith("raw_") ? "raw" : "human", label: { ctr: "people", raw_ctr: "all" }[name] ?? "rate", low: Number(row[low]), mid: Number(row[mid]), high: Number(row[high]) })).filter((mark) => [mark.low, mark.mid, mark.high].every(Number.isFinite));
  return { kind: "whiskers", rows: rows.slice(0, 20).map((row) => ({ label: versioned(columns, row), marks: marks(row) })) };
}

/** How many took how long: columns `to_10_s`, …, `later`, as long as what all rows have there. */
function spread(columns, rows) {
  const found = columns.map(({ name }, i) => ({ name, i })).filter(({ name }) => /^(to_\d.*|later)$/.test(name));
  if (found.length < 3) return null;
  return { kind: "bars", about: "how_long_it_took", format: number, rows: found.map(({ name, i }) => ({ label: name.replaceAll("_", " "), value: sum(rows, i) })) };
}

/** A value for each hour of the week. */
function week(columns, rows) {
  const at = (name) => columns.findIndex((column) => column.name === name);
  const [day, hour, value] = [at("weekday"), at("hour"), at("deliveries")];
  if (day < 0 || hour < 0 || value < 0) return null;
  const grid = DAYS.map(() => Array.from({ length: 24 }, () => 0));
  for (const row of rows) if (DAYS.includes(row[day])) grid[DAYS.indexOf(row[day])][row[hour]] += Number(row[value]);
  return { kind: "week", about: "deliveries", days: DAYS, grid };
}

function overTime(columns, rows) {
  const at = columns.findIndex((column) => isTime(column) && /^(at|hour|day|minute|bucket)$/.test(column.name));
  const values = columns.map((column, i) => [column, i]).filter(([column]) => isNumber(column));
  if (at < 0 || !values.length || rows.length < 3) return null;
  const [[, value]] = values;
  const named = rows.map((row) => ({ at: moment(row[at]), name: label(columns, row), value: Number(row[value] ?? 0) }));
  const totals = new Map();
  for (const { name, value: n } of named) totals.set(name, (totals.get(name) ?? 0) + n);
  const most = [...totals].sort((a, b) => b[1] - a[1]).slice(0, 6).map(([name]) => name);
  const marks = [...new Set(named.map((each) => each.at))].sort((a, b) => a - b);
  const least = Math.max(Math.min(...marks.slice(1).map((each, i) => each - marks[i])), (marks.at(-1) - marks[0]) / MOST_BUCKETS);
  const step = WIDTHS.find((width) => width >= least) ?? WIDTHS.at(-1);
  return { kind: "time", rows: named.filter(({ name }) => most.includes(name)), names: most, from: marks[0], to: marks.at(-1), step, about: columns[value].name };
}

const RATHER = ["cost", "value", "deliveries", "events"];

function lengths(columns, rows) {
  const numbers = columns.map((column, i) => ({ column, i })).filter(({ column }) => isNumber(column) && !/version|hour|bucket|second/.test(column.name));
  const words = columns.some((column) => !isNumber(column) && !isTime(column));
  const chosen = RATHER.map((name) => numbers.find(({ column }) => column.name === name)).find(Boolean) ?? numbers[0];
  if (!chosen || rows.length < 2 || rows.length > 60) return null;
  const named = words ? (row) => label(columns, row) : (row) => reader(columns[0], 0, rows)(row[0]);
  return { kind: "bars", about: chosen.column.name, format: reader(chosen.column, chosen.i, rows), rows: rows.slice(0, 24).map((row) => ({ label: String(named(row)), value: Number(row[chosen.i] ?? 0) })) };
}
