// What happens right now: frames off the socket, summed up, and how the connection is.
import { headers } from "/web/console-api.js";
import { Figures } from "/web/figures.js";
import { connect } from "/web/socket.js";

const KEPT = 9;

export class Live {
  figures = new Figures();
  /** Of the connection: connecting, live, waiting or locked, and what to say of it. */
  state = "connecting";
  text = "connecting";
  /** The newest deliveries, newest first. */
  feed = [];
  /** Whether the totals are all there is, and not only what happened since one looks. */
  known = false;
  #socket;
  #begun = null;

  /** `changed(why)` is called with "frame" or "state". */
  constructor(changed) {
    this.#socket = connect({
      ticket: () => fetch("/v1/live-ticket", { headers: headers() }),
      opened: () => {},
      frame: (frame) => {
        if (frame.op !== "live") return;
        this.figures.add(frame.counters, performance.now() / 1000);
        this.feed = [...(frame.feed ?? []).toReversed(), ...this.feed].slice(0, KEPT);
        changed("frame");
      },
      state: (state, text) => {
        [this.state, this.text] = [state, text];
        changed("state");
      },
    });
  }

  /** Totals as the books have them, from the overview; each answer counts once. */
  start(overview) {
    if (overview === this.#begun || !overview?.channels) return;
    this.#begun = overview;
    const ends = ["accepted", "delivered", "failed", "suppressed", "expired", "cancelled"];
    const sums = (row) => Object.fromEntries(ends.map((name) => [name, row[name] ?? 0]));
    this.known ||= overview.channels.some((row) => typeof row.accepted === "number");
    this.figures.start({ channels: Object.fromEntries(overview.channels.map((row) => [row.channel, sums(row)])) });
  }

  now() {
    this.#socket.now();
  }
}
