// Numbers and times as people read them, in their own locale. Pure, but for the clock of the person's time zone.
import { h } from "/web/console-dom.js";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" });
const minute = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

export const NOTHING = "–";
const known = (n) => n !== null && n !== undefined && Number.isFinite(Number(n));

/** 1,234,567; from a million on 12.3M. */
export const count = (n) => (known(n) ? (Math.abs(n) >= 1e7 ? short.format(n) : whole.format(n)) : NOTHING);
export const compact = (n) => (known(n) ? short.format(n) : NOTHING);
export const number = (n) => (known(n) ? exact.format(n) : NOTHING);
export const percent = (n) => (known(n) ? share.format(n) : NOTHING);
export const rate = (n) => (known(n) ? (n >= 10 || n === 0 ? whole : fine).format(n) : NOTHING);

/** Milliseconds as 12 ms, 1.2 s, 3.4 min, 2 h, 4 d. */
export function span(ms) {
  if (!known(ms)) return NOTHING;
  const sizes = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1_000, "s"]];
  for (const [size, unit] of sizes) if (Math.abs(ms) >= size) return `${fine.format(ms / size)} ${unit}`;
  return `${(ms < 10 ? fine : whole).format(ms)} ms`;
}

/** Bytes as 12 B, 3.4 kB. */
export const bytes = (n) => (n < 1000 ? `${n} B` : `${fine.format(n / 1000)} kB`);

/** A time of ours in milliseconds; one that does not say its zone is UTC. */
export function moment(at) {
  if (typeof at !== "string") return Number(at);
  const zoned = /([zZ]|[+-]\d\d:?\d\d)$/.test(at);
  return Date.parse(zoned || /^\d{4}-\d\d-\d\d$/.test(at) ? at : `${at.replace(" ", "T")}Z`);
}

export const hourOf = (ms) => minute.format(ms);
export const dayOf = (ms) => day.format(ms);

/** 14:03:22 today, 23 Nov, 14:03 before. */
export function local(at, now = Date.now()) {
  const ms = moment(at);
  const today = new Date(ms).toDateString() === new Date(now).toDateString();
  return today ? clock.format(ms) : `${day.format(ms)}, ${minute.format(ms)}`;
}

/** Three minutes ago. */
export function ago(at, now = Date.now()) {
  const seconds = Math.round((moment(at) - now) / 1000);
  for (const [size, unit] of [[86_400, "day"], [3600, "hour"], [60, "minute"]])
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return Math.abs(seconds) < 2 ? "now" : relative.format(seconds, "second");
}

const utc = (ms) => `${new Date(ms).toISOString().replace("T", " ").slice(0, 23)} UTC`;

/** A time in the reader's own zone, with UTC to point at. */
export function time(at, show = local) {
  const ms = moment(at);
  if (!Number.isFinite(ms)) return NOTHING;
  return h("time", { datetime: new Date(ms).toISOString(), title: utc(ms) }, show(ms));
}

/** BACK_IN_STOCK as Back in stock. */
export function words(name) {
  if (!name) return NOTHING;
  if (name === "OTP") return "One-time code";
  const said = name.replaceAll("_", " ").toLowerCase().replace(/\b(ctr|otp|sms|id|sku)\b/g, (short) => short.toUpperCase());
  return said.charAt(0).toUpperCase() + said.slice(1);
}

const CHANNELS = { inapp: "In-app", push: "Push", sms: "SMS", email: "Email" };
export const channelName = (channel) => CHANNELS[channel] ?? channel;
