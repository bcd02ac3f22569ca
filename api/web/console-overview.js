// What happens now, and what happened in the last day.
import { get, session } from "/web/console-api.js";
import { barRows } from "/web/console-bars.js";
import { channelCards } from "/web/console-channels.js";
import { timeChart } from "/web/console-chart.js";
import { h, memo } from "/web/console-dom.js";
import { ago, channelName, count, hourOf, NOTHING, rate, span, words } from "/web/console-format.js";
import { shape, state } from "/web/console-icons.js";
import { choice, from, nothing, panel, since, table } from "/web/console-parts.js";
import { begin, buckets } from "/web/console-scale.js";
import { Source } from "/web/console-source.js";
import { explainReason } from "/web/console-words.js";
import { CHANNELS } from "/web/figures.js";

const MINUTE = 60_000;
const RANGES = { 1: "1 h", 24: "24 h", 168: "7 days" };
const OUTCOMES = ["delivered", "suppressed", "expired", "cancelled", "failed"];
const by = (names, label) => names.map((name) => ({ name, label: label(name) }));
const SERIES = { channel: by(CHANNELS, channelName), state: by(OUTCOMES, words) };

export const overview = { title: "Overview", open: (page) => new Overview(page) };

class Overview {
  live = true;
  #page;
  #range = 24;
  #picked = false; // by whoever looks
  #split = "channel";
  #series;
  #latency;
  #failures;
  #present;

  constructor(page) {
    this.#page = page;
    // where there is nothing yet, the first of it is worth waiting for
    const every = (data) => (data?.points.length ? 20_000 : 3_000);
    this.#series = new Source(this.#askSeries(), every, () => this.#seriesCame());
    this.#latency = new Source(() => get("/v1/ops/latency", { minutes: 60 }), every, page.redraw);
    this.#failures = new Source(() => get("/v1/ops/failures", { hours: 24 }), 15_000, page.redraw);
    if (session.token) this.#present = new Source(() => get("/v1/presence", { audience: "admins" }), 20_000, page.redraw);
  }

  #askSeries() {
    const [hours, step] = [this.#range, this.#range === 1 ? "minute" : "hour"];
    return () => get("/v1/ops/series", { hours, step });
  }

  /** A system that has run for less than an hour is looked at by the minute; one in which nothing ended yet is none. */
  #seriesCame() {
    const points = this.#series.data?.points ?? [];
    if (!this.#picked && points.length && points.every(({ at }) => Date.parse(at) > Date.now() - 75 * MINUTE)) this.#choose(1);
    else this.#page.redraw();
    this.#picked ||= points.length > 0;
  }

  #choose(range) {
    [this.#range, this.#picked] = [range, true];
    this.#series.again(this.#askSeries());
    this.#page.redraw();
  }

  close() {
    for (const source of [this.#series, this.#latency, this.#failures, this.#present]) source?.close();
  }

  draw() {
    const { overview, live } = this.#page;
    const found = overview.data;
    return [
      h("h1", { tabindex: -1 }, "Overview"),
      numbers(found, live, this.#present?.data),
      from(overview, () => channelCards(found, live, this.#latency.data), { rows: 6 }),
      h("div", { class: "columns two" }, this.#drawSeries(), this.#drawLatency()),
      h("div", { class: "columns two" }, this.#drawProviders(), this.#drawFailures()),
      h("div", { class: "columns two" }, this.#drawLag(), feed(live)),
    ];
  }

  #drawSeries() {
    const aside = [
      choice("Split by", [["channel", "By channel"], ["state", "By outcome"]], this.#split, (split) => ((this.#split = split), this.#page.redraw())),
      choice("How far back", Object.entries(RANGES).map(([hours, said]) => [Number(hours), said]), this.#range, (range) => this.#choose(range)),
    ];
    const draw = (data) => (data.points.length || this.#picked ? this.#chart(data, this.#split, this.#range, this.#page.drawn()) : nothing("Nothing has ended yet", "The first minutes are drawn as soon as something does."));
    return panel({ title: "Deliveries ended", aside, kind: "chart-panel" }, from(this.#series, draw, { rows: 5 }));
  }

  // drawn() is a number that changes when a chart wants to be drawn anew
  #chart = memo((data, split, range) => {
    const step = data.step === "minute" ? MINUTE : 60 * MINUTE;
    const to = Date.now();
    const rows = data.points.map((point) => ({ at: Date.parse(point.at), name: point[split], value: point.deliveries }));
    const from = to - range * 60 * MINUTE + step;
    const points = buckets(rows, { from: range === 1 ? begin(rows, from, to) : from, to, step });
    return timeChart({ id: "series", label: `Deliveries ended per ${data.step}`, points, series: SERIES[split], step });
  });

  #drawLatency() {
    const draw = (data) => (data.points.length ? this.#lines(data, this.#page.drawn()) : nothing("No deliveries in the last hour", "When something is delivered, this shows how long it took."));
    return panel({ title: "Time to delivery", about: "p95, last hour", kind: "chart-panel" }, from(this.#latency, draw, { rows: 5 }));
  }

  #lines = memo((data) => {
    const to = Date.now();
    const rows = data.points.map((point) => ({ at: Date.parse(point.at), name: point.channel, value: point.p95_ms }));
    const points = buckets(rows, { from: begin(rows, to - 60 * MINUTE, to), to, step: MINUTE });
    return timeChart({ id: "latency", label: "Time to delivery, 95th percentile", points, series: SERIES.channel, kind: "lines", log: true, format: span, step: MINUTE });
  });

  #drawProviders() {
    const { overview } = this.#page;
    const columns = [
      { title: "Provider", cell: (row) => [h("b", {}, row.provider), " ", h("span", { class: "soft" }, channelName(row.channel))] },
      { title: "Breaker", cell: (row) => h("span", { title: breakerTitle(row) }, state(row.state)) },
      { title: "Calls / min", kind: "number", cell: (row) => count(row.calls) },
      { title: "Failed", kind: "number", cell: (row) => h("span", { class: row.failures > 0 ? "bad" : "" }, count(row.failures)) },
      { title: "p95", kind: "number", cell: (row) => span(row.p95_ms) },
    ];
    const below = (row) => row.state !== "closed" && h("p", { class: "why" }, breakerTitle(row), row.since && [" Since ", since(row.since), "."]);
    const draw = ({ providers }) => {
      if (!providers) return nothing("Not known right now", "The senders tell it through Redis; it comes back with it.");
      if (!providers.length) return nothing("No provider has been called yet", "Each shows up with its first call.");
      return table({ columns, rows: providers, keyOf: (row) => `${row.provider} ${row.channel}`, label: "Providers", below });
    };
    return panel({ title: "Providers", about: "last minute" }, from(overview, draw));
  }

  #drawFailures() {
    const columns = [
      { title: "Reason", kind: "wide", cell: (row) => h("span", { title: row.reason }, reasonOf(row)) },
      { title: "Where", cell: (row) => [channelName(row.channel), row.provider && h("div", { class: "soft small" }, row.provider)] },
      { title: "End", cell: (row) => state(row.state) },
      { title: "Deliveries", kind: "number", cell: (row) => count(row.deliveries) },
      { title: "Last", kind: "number", cell: (row) => h("span", { class: "soft" }, ago(row.last_at)) },
    ];
    const draw = ({ rows }) => (rows.length ? table({ columns, rows: rows.slice(0, 12), keyOf: (row) => [row.channel, row.provider, row.state, row.reason].join(" "), label: "Why deliveries did not arrive" }) : null);
    return panel({ title: "What did not arrive", about: "last 24 h" }, from(this.#failures, draw, { empty: ["Everything arrived", "Nothing failed and nothing was held back in the last 24 hours."] }));
  }

  #lag = false;

  #drawLag() {
    const draw = ({ lag }) => {
      if (!lag) return nothing("Not known right now", "Kafka tells it; it comes back with it.");
      const behind = lag.filter(({ records }) => records > 0).sort((a, b) => b.records - a.records);
      const rows = this.#lag ? lag : behind;
      if (!rows.length) return h("p", { class: "calm" }, shape("good"), `Nobody is behind: ${count(lag.length)} subscriptions are read to their end.`);
      return barRows(rows.map(({ group, topic, records }) => ({ label: `${topic} · ${group}`, value: records })));
    };
    const aside = choice("Which", [[false, "Behind"], [true, "All"]], this.#lag, (all) => ((this.#lag = all), this.#page.redraw()));
    return panel({ title: "Lag", about: "records waiting, by topic and reader", aside }, from(this.#page.overview, draw));
  }
}

function breakerTitle({ state: at, reason }) {
  const said = { closed: "Closed: calls go out.", open: "Open: it is not called, so that nothing waits in vain.", half_open: "Half-open: a few calls try whether it is back." }[at];
  return reason ? `${said} ${reason.replace(/[.]?$/, ".")}` : said;
}

function reasonOf({ reason }) {
  const said = explainReason(reason) || "no reason given";
  return said === reason ? said : said.charAt(0).toUpperCase() + said.slice(1);
}

function numbers(found, live, present) {
  const sums = live.figures.all();
  const second = performance.now() / 1000;
  const now = live.state === "live" ? live.figures.rate(second) : sum(found?.channels, "delivered_per_s");
  const lag = found?.lag?.reduce((all, { records }) => all + records, 0);
  const failed = sum(found?.channels, "failed_per_s");
  const [known, total] = [found !== null, (n) => (live.known ? count(n) : NOTHING)];
  const sockets = found?.sockets;
  return h("div", { class: "numbers", role: "group", "aria-label": "Right now" },
    big("Accepted", known ? total(sums.accepted) : null, "in 30 days"),
    big("Ended / s", known ? rate(now) : null, live.state === "live" ? "this moment" : "last minute", { lead: true }),
    big("In flight", known ? total(sums.flight) : null, found?.schedule && `${count(found.schedule.waiting)} scheduled`),
    big("Lag", known ? count(lag) : null, "records waiting", { tone: lag > 10_000 ? "half" : null }),
    big("Failures / min", known ? rate(failed === null ? null : failed * 60) : null, "last minute", { tone: failed > 0 ? "bad" : null }),
    big("Sockets", known ? `${sockets && !sockets.exact ? "≈ " : ""}${count(sockets?.connected)}` : null, present ? `${count(present.members.length)}${present.cursor ? "+" : ""} admins here` : "connected"));
}

/** Null where no row knows. */
const sum = (rows, name) => (rows?.some((row) => row[name] !== null) ?? false ? rows.reduce((all, row) => all + (row[name] ?? 0), 0) : null);

const big = (label, value, note, { lead, tone } = {}) =>
  h("div", { class: lead ? "number-card lead" : "number-card", key: label }, h("span", { class: "label" }, tone && shape(tone), label), value === null ? h("span", { class: "value skeleton-line" }) : h("b", { class: "value" }, value), h("span", { class: "soft" }, note));

function feed(live) {
  const rows = live.feed.map((entry) => h("li", {}, h("time", {}, hourOf(Date.parse(entry.at))), h("span", { class: "chip", "data-series": entry.channel }, channelName(entry.channel)), h("span", { class: "clip" }, words(entry.type)), h("span", { class: "soft" }, entry.user), state(entry.state)));
  return panel({ title: "Just now", about: "people masked" }, rows.length ? h("ol", { class: "feed-list" }, rows) : nothing("Nothing since you came", "Send something: ", h("code", {}, "tocsin replay data/sample.csv")));
}
