// Where things lie on a chart: round numbers on one axis, round times on the other. Pure.

const STEPS = [60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800].map((s) => s * 1000);

/** Round values from 0 to at least `max`, about `most` of them. */
export function ticks(max, most = 5) {
  if (!(max > 0)) return [0, 1];
  const raw = max / most;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * size).find((n) => n >= raw * 0.999);
  const found = [];
  for (let n = 0; n < max + step * 0.999; n += step) found.push(Number(n.toPrecision(12)));
  return found;
}

/** Powers of ten around what there is. */
export function decades(min, max) {
  const from = Math.floor(Math.log10(Math.max(min, 0.1)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(max, 0.1))));
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
}

/** Times between two, round in the reader's own zone, at most `most`. `zone` is minutes as Date tells them. */
export function times(from, to, most, zone = new Date(to).getTimezoneOffset()) {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1);
  const shift = zone * 60_000;
  const found = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) found.push(at);
  return { step, at: found };
}

const YOUNG = 15 * 60_000;

/** Where to begin a chart of the time up to `to`: `from`, but a young system's is not mostly empty. */
export const begin = (rows, from, to) => Math.max(from, Math.min(to - YOUNG, ...rows.map(({ at }) => at)));

/** Rows summed up per bucket and name: [{at, values}], gaps filled. `rows` have `at`, `name` and `value`. */
export function buckets(rows, { from, to, step }) {
  const found = new Map();
  for (let at = Math.floor(from / step) * step; at <= to; at += step) found.set(at, {});
  for (const { at, name, value } of rows) {
    const values = found.get(Math.floor(at / step) * step);
    if (values) values[name] = (values[name] ?? 0) + value;
  }
  return [...found].map(([at, values]) => ({ at, values }));
}
