// A card per channel: what it did, what it does, and how fast.
import { shares, sparkline } from "/web/console-bars.js";
import { h } from "/web/console-dom.js";
import { channelName, count, NOTHING, rate, span } from "/web/console-format.js";
import { icon } from "/web/console-icons.js";
import { CHANNELS } from "/web/figures.js";

const MINUTES = 60;

/** Of an overview and what came over the socket since; `latency` has the last hour's deliveries by minute. */
export function channelCards(overview, live, latency) {
  const rows = new Map((overview.channels ?? []).map((row) => [row.channel, row]));
  const minutes = perMinute(latency);
  return h("div", { class: "channels" }, CHANNELS.map((channel) => card(channel, rows.get(channel) ?? {}, live, minutes[channel])));
}

/** Deliveries in each of the last minutes, by channel. */
function perMinute(latency) {
  const found = {};
  const now = Math.floor(Date.now() / 60_000);
  for (const { channel, at, deliveries } of latency?.points ?? []) {
    const place = MINUTES - 1 - (now - Math.floor(Date.parse(at) / 60_000));
    const line = (found[channel] ??= Array.from({ length: MINUTES }, () => 0));
    if (place >= 0 && place < MINUTES) line[place] += deliveries;
  }
  return found;
}

/** The minutes from the first in which anything was delivered, a quarter of an hour at least. */
function lately(minutes = [0, 0]) {
  const first = minutes.findIndex((n) => n > 0);
  return minutes.slice(first < 0 ? 0 : Math.min(first, Math.max(0, minutes.length - 15)));
}

function card(channel, row, live, minutes) {
  const total = (n) => (live.known ? count(n) : NOTHING);
  const sums = live.figures.of(channel);
  const now = live.state === "live" ? live.figures.rate(performance.now() / 1000, channel) : row.delivered_per_s;
  const waits = [["queued", row.queued], ["deferred", row.deferred], ["retrying", row.retrying]].filter(([, n]) => n > 0);
  const parts = [
    { name: channel, label: "delivered", value: sums.delivered },
    { name: "flight", label: "in flight", value: sums.flight },
    { name: "rest", label: "not sent", value: sums.rest },
    { name: "failed", label: "failed", value: sums.failed },
  ];
  return h("article", { class: "panel channel", key: channel, "data-channel": channel, "aria-label": channelName(channel) },
    h("header", {}, icon(channel), h("h2", {}, channelName(channel)), h("span", { class: "now" }, now > 0 ? `${rate(now)} / s` : "idle")),
    h("div", { class: "told" }, h("div", {}, h("b", { class: "value" }, total(sums.delivered)), h("span", { class: "soft" }, "delivered")), sparkline(lately(minutes), { series: channel, height: 40 })),
    shares(parts, sums.accepted),
    h("dl", { class: "facts" },
      parts.slice(1).map(({ name, label, value }) => h("div", { key: name }, h("dt", {}, h("i", { "data-series": name }), label), h("dd", { class: name === "failed" && value > 0 ? "bad" : "" }, total(value)))),
      h("div", { key: "waits", class: "waits" }, h("dd", {}, waits.length ? waits.map(([name, n]) => `${count(n)} ${name}`).join(" · ") : row.queued === 0 ? "nothing waits" : "what waits is not known"))),
    h("dl", { class: "percentiles", title: "From acceptance to the end, last hour" }, ["p50", "p95", "p99"].map((name) => h("div", {}, h("dt", {}, name), h("dd", {}, span(row[`${name}_ms`]))))));
}
