// What the numbers are: totals of every channel and state, and deliveries per second.

export const CHANNELS = ["inapp", "push", "sms", "email"];
const ENDS = ["delivered", "failed", "suppressed", "expired", "cancelled"];
const KEPT_SECONDS = 120;
const RATE_SECONDS = 3;

export class Figures {
  #counts = {};
  #ended = new Map(); // whole second -> channel -> deliveries that ended in it

  /** Totals as ClickHouse has them. It is a moment behind: what is known to be more stays. */
  start(totals) {
    for (const [channel, states] of Object.entries(totals.channels))
      for (const [state, count] of Object.entries(states)) {
        const known = (this.#counts[channel] ??= {});
        known[state] = Math.max(known[state] ?? 0, count);
      }
  }

  /** What happened since the last frame. */
  add(counters, second) {
    for (const [channel, states] of Object.entries(counters))
      for (const [state, count] of Object.entries(states)) {
        const known = (this.#counts[channel] ??= {});
        known[state] = (known[state] ?? 0) + count;
        if (ENDS.includes(state)) this.#note(channel, count, Math.floor(second));
      }
  }

  #note(channel, count, second) {
    if (!this.#ended.has(second)) {
      this.#ended.set(second, {});
      for (const old of this.#ended.keys()) if (old < second - KEPT_SECONDS) this.#ended.delete(old);
    }
    const bucket = this.#ended.get(second);
    bucket[channel] = (bucket[channel] ?? 0) + count;
  }

  #in(second, channel) {
    const bucket = this.#ended.get(second);
    if (!bucket) return 0;
    return channel ? (bucket[channel] ?? 0) : Object.values(bucket).reduce((a, b) => a + b, 0);
  }

  /** Deliveries per second, the mean of the last whole seconds. */
  rate(second, channel) {
    let sum = 0;
    for (let back = 1; back <= RATE_SECONDS; back++) sum += this.#in(Math.floor(second) - back, channel);
    return sum / RATE_SECONDS;
  }

  /** Deliveries in each of the last whole seconds, oldest first; of one channel, or of all. */
  perSecond(second, seconds, channel) {
    return Array.from({ length: seconds }, (_, i) => this.#in(Math.floor(second) - seconds + i, channel));
  }

  /** One channel: accepted = delivered + flight + failed + rest. */
  of(channel) {
    const known = this.#counts[channel] ?? {};
    const [delivered, failed, ...others] = ENDS.map((state) => known[state] ?? 0);
    const rest = others.reduce((a, b) => a + b, 0);
    const ended = delivered + failed + rest;
    // an end may be told before its beginning: both come in batches
    const accepted = Math.max(known.accepted ?? 0, ended);
    return { accepted, delivered, failed, rest, flight: accepted - ended };
  }

  /** All channels together. */
  all() {
    const sums = { accepted: 0, delivered: 0, failed: 0, rest: 0, flight: 0 };
    for (const channel of CHANNELS)
      for (const [name, count] of Object.entries(this.of(channel))) sums[name] += count;
    return sums;
  }
}
