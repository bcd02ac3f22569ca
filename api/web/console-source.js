// One thing that is asked for again and again: what is known stays while it is asked anew, or cannot be had; nobody
// is asked while nobody looks.

const sources = new Set();

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const source of sources) source.wake();
});

/** Ask everything again, as when another token came. */
export function askAll() {
  for (const source of sources) source.ask();
}

export class Source {
  data = null;
  /** Why there is nothing newer, or null. */
  problem = null;
  /** When `data` was had, in milliseconds. */
  at = 0;
  #load;
  #every;
  #changed;
  #timer = 0;
  #asked = 0;
  #due = 0;

  /** `load` gives a promise; `every` is milliseconds, or a function that gives them for an answer, 0 for once; `changed`
   * is called after each answer. */
  constructor(load, every, changed) {
    [this.#load, this.#every, this.#changed] = [load, every, changed];
    sources.add(this);
    this.ask();
  }

  /** Ask now. An answer that was overtaken by another question is dropped. */
  async ask() {
    clearTimeout(this.#timer);
    const mine = ++this.#asked;
    const [data, problem] = await this.#load().then((found) => [found, null], (error) => [null, error]);
    if (mine !== this.#asked || !sources.has(this)) return;
    if (problem) this.problem = problem;
    else [this.data, this.problem, this.at] = [data, null, Date.now()];
    const wait = typeof this.#every === "function" ? this.#every(this.data) : this.#every;
    this.#due = Date.now() + wait;
    if (wait) this.#timer = setTimeout(() => document.hidden || this.ask(), wait);
    this.#changed();
  }

  /** What was known is about something else now: forget it, and ask. */
  again(load = this.#load) {
    [this.#load, this.data, this.problem] = [load, null, null];
    this.ask();
  }

  wake() {
    if (this.#every && Date.now() >= this.#due) this.ask();
  }

  close() {
    sources.delete(this);
    clearTimeout(this.#timer);
  }
}
