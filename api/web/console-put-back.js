// Putting dead letters back: asked once more, then done in portions, with what came of it.
import { post } from "/web/console-api.js";
import { h } from "/web/console-dom.js";
import { count } from "/web/console-format.js";
import { askToken, button, tell, trouble } from "/web/console-parts.js";

const PORTION = 200;

export class PutBack {
  #changed;
  #done;
  #letters = null;
  #finished = 0;
  #busy = false;
  #problem = null;

  /** `done(places)` is called with what was put back, portion by portion. */
  constructor(changed, done) {
    [this.#changed, this.#done] = [changed, done];
  }

  /** Ask whether these letters are to be put back. */
  ask(letters) {
    [this.#letters, this.#finished, this.#problem] = [letters, 0, null];
    this.#changed();
  }

  #close() {
    if (this.#busy) return;
    this.#letters = null;
    this.#changed();
  }

  async #go() {
    const places = this.#letters.map(({ place }) => place);
    [this.#busy, this.#problem] = [true, null];
    while (this.#finished < places.length && !this.#problem) {
      this.#changed();
      const portion = places.slice(this.#finished, this.#finished + PORTION);
      await post("/v1/ops/dead-letters:replay", { places: portion }).then(
        () => {
          this.#finished += portion.length;
          this.#done(portion);
        },
        (problem) => (this.#problem = placed(problem, portion)),
      );
    }
    this.#busy = false;
    if (!this.#problem) {
      tell(`${count(places.length)} put back`);
      this.#letters = null;
    }
    this.#changed();
  }

  draw() {
    const hook = (node) => (this.#letters ? node.open || node.showModal() : node.open && node.close());
    const cancel = (event) => (event.preventDefault(), this.#close());
    return h("dialog", { key: "put back", class: "dialog", "aria-label": "Put back", hook, on: { cancel, close: () => this.#close() } }, this.#letters && this.#inside());
  }

  #inside() {
    const all = this.#letters.length;
    const topics = [...new Set(this.#letters.map(({ topic }) => topic))];
    const locked = this.#problem?.locked;
    return [
      h("h2", {}, `Put ${all === 1 ? "this letter" : `these ${count(all)} letters`} back?`),
      h("p", {}, all === 1 ? "It goes" : "They go", " back to ", topics.map((topic, i) => [i > 0 && ", ", h("code", {}, topic)]), " and ", all === 1 ? "is" : "are", " read again. What was already acted on is recognised and not sent twice; what is still wrong comes back here."),
      this.#busy && [h("progress", { max: all, value: this.#finished }), h("p", { role: "status" }, `${count(this.#finished)} of ${count(all)}`)],
      locked && askToken(this.#problem, "Putting back needs a token"),
      this.#problem && !locked && [this.#finished > 0 && h("p", {}, `${count(this.#finished)} of ${count(all)} were put back before this:`), trouble(this.#problem)],
      h("div", { class: "row end" },
        button("Cancel", () => this.#close(), { disabled: this.#busy }),
        !locked && button(this.#problem ? "Try again" : "Put back", () => this.#go(), { class: "button primary", disabled: this.#busy, "data-go": "" })),
    ];
  }

  /** A token came: what was refused may be tried again. */
  unlocked() {
    if (this.#problem?.locked) this.#problem = null;
  }
}

/** The problem, saying of which letter where it names one by its number. */
function placed(problem, portion) {
  problem.errors = problem.errors.map((error) => {
    const number = /\/places\/(\d+)/.exec(error.pointer)?.[1];
    return number === undefined ? error : { ...error, detail: `${portion[Number(number)]}: ${error.detail}` };
  });
  return problem;
}
