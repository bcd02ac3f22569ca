// Dead letters: records nobody could use, kept whole, to be looked at and put back when the cause is mended.
import { get } from "/web/console-api.js";
import { h } from "/web/console-dom.js";
import { count, time } from "/web/console-format.js";
import { icon, state } from "/web/console-icons.js";
import { pretty } from "/web/console-json.js";
import { button, choice, from, panel, since, skeleton, table } from "/web/console-parts.js";
import { PutBack } from "/web/console-put-back.js";
import { Source } from "/web/console-source.js";

const PAGE = 100;

export const dead = { title: "Dead letters", open: (page) => new Dead(page) };

class Dead {
  #page;
  #status = "open";
  #topic = "";
  #topics = new Set();
  #source;
  #more = { letters: [], cursor: undefined, busy: false, problem: null };
  #chosen = new Set();
  #open = new Set();
  #putBack;

  constructor(page) {
    this.#page = page;
    this.#source = new Source(this.#ask(), 5_000, () => this.#came());
    this.#putBack = new PutBack(page.redraw, (places) => this.#done(places));
  }

  close() {
    this.#source.close();
  }

  /** A token came. */
  unlocked() {
    this.#putBack.unlocked();
  }

  #ask() {
    const params = { status: this.#status, topic: this.#topic, limit: PAGE };
    return () => get("/v1/ops/dead-letters", params);
  }

  #came() {
    for (const { topic } of this.#source.data?.letters ?? []) this.#topics.add(topic);
    this.#page.redraw();
  }

  #filter(change) {
    change();
    [this.#chosen, this.#more] = [new Set(), { letters: [], cursor: undefined, busy: false, problem: null }];
    this.#source.again(this.#ask());
    this.#page.redraw();
  }

  #done(places) {
    for (const place of places) this.#chosen.delete(place);
    this.#more.letters = this.#more.letters.filter(({ place }) => !places.includes(place));
    this.#source.ask();
    this.#page.overview.ask();
  }

  get #letters() {
    const first = this.#source.data?.letters ?? [];
    const known = new Set(first.map(nameOf));
    return [...first, ...this.#more.letters.filter((letter) => !known.has(nameOf(letter)))];
  }

  async #older() {
    const cursor = this.#more.cursor ?? this.#source.data.cursor;
    this.#more.busy = true;
    this.#page.redraw();
    const asked = this.#more;
    await get("/v1/ops/dead-letters", { status: this.#status, topic: this.#topic, limit: PAGE, cursor }).then(
      (found) => Object.assign(asked, { letters: [...asked.letters, ...found.letters], cursor: found.cursor, problem: null }),
      (problem) => Object.assign(asked, { problem }),
    );
    asked.busy = false;
    this.#page.redraw();
  }

  draw() {
    const open = this.#status === "open";
    const empty = open ? ["No dead letters", "Every record that came could be used. One that cannot be is kept here, whole, with the reason."] : ["No dead letters, ever", "Whatever cannot be used is kept here, whole, with the reason."];
    const chosen = [...new Map(this.#letters.filter(({ place }) => this.#chosen.has(place)).map((letter) => [letter.place, letter])).values()];
    return [
      h("h1", { tabindex: -1 }, "Dead letters"),
      h("p", { class: "lead-in" }, "Records that could not be used, kept whole. Mend the cause, then put them back where they came from."),
      panel({ key: "letters" }, this.#tools(chosen), from(this.#source, () => this.#table(), { rows: 6, empty }), this.#foot()),
      this.#putBack.draw(),
    ];
  }

  #tools(chosen) {
    const pick = (event) => this.#filter(() => (this.#topic = event.target.value));
    return h("div", { class: "tools" },
      choice("Which", [["open", "Open"], ["all", "All"]], this.#status, (status) => this.#filter(() => (this.#status = status))),
      h("label", { class: "field" }, h("span", {}, "Topic"), h("select", { value: this.#topic, on: { change: pick } }, h("option", { value: "" }, "All topics"), [...this.#topics].sort().map((topic) => h("option", { value: topic }, topic)))),
      h("span", { class: "grow soft", role: "status" }, chosen.length > 0 && `${count(chosen.length)} chosen`),
      button(chosen.length ? `Put back ${count(chosen.length)}` : "Put back", () => this.#putBack.ask(chosen), { class: "button primary", disabled: chosen.length === 0 }));
  }

  #table() {
    const rows = this.#letters;
    if (!rows.length) return null;
    const free = rows.filter(({ put_back_at: at }) => !at);
    const all = free.length > 0 && free.every(({ place }) => this.#chosen.has(place));
    const some = !all && free.some(({ place }) => this.#chosen.has(place));
    const choose = (places, on) => {
      for (const place of places) on ? this.#chosen.add(place) : this.#chosen.delete(place);
      this.#page.redraw();
    };
    const box = (places, checked, label, more) => h("input", { type: "checkbox", checked, "aria-label": label, ...more, on: { change: (event) => choose(places, event.target.checked) } });
    const columns = [
      { title: "", kind: "tight", head: box(free.map(({ place }) => place), all, "Choose all", { indeterminate: some, disabled: !free.length }), cell: (row) => box([row.place], this.#chosen.has(row.place), `Choose ${row.place}`, { disabled: Boolean(row.put_back_at) }) },
      { title: "When", cell: ({ at }) => since(at) },
      { title: "Place", cell: ({ place }) => h("code", {}, place) },
      { title: "What is wrong", kind: "wide", cell: (row) => [row.field && [h("code", { class: "field-name" }, row.field), " "], row.reason || row.error] },
      { title: "Notification", cell: ({ notification_id: id }) => (id ? h("a", { href: `#/trace/n/${encodeURIComponent(id)}`, title: id }, h("code", {}, id.length > 14 ? `${id.slice(0, 12)}…` : id)) : h("span", { class: "soft" }, "–")) },
      { title: "Now", cell: (row) => (row.put_back_at ? h("span", { class: "said", "data-tone": "good" }, "put back ", time(row.put_back_at)) : state("open", "open")) },
      { title: "", kind: "tight", cell: (row) => this.#opener(row) },
    ];
    return table({ columns, rows, keyOf: nameOf, label: "Dead letters", below: (row) => this.#open.has(nameOf(row)) && payload(row), rowProps: (row) => ({ "data-place": row.place, class: this.#chosen.has(row.place) ? "chosen" : null }) });
  }

  #opener(row) {
    const [name, place] = [nameOf(row), row.place];
    const open = this.#open.has(name);
    const turn = () => (open ? this.#open.delete(name) : this.#open.add(name), this.#page.redraw());
    return button(open ? "Hide" : "Look", turn, { class: "button small", "aria-expanded": String(open), "aria-label": `${open ? "Hide" : "Look at"} the payload of ${place}` });
  }

  #foot() {
    const cursor = this.#more.cursor === undefined ? this.#source.data?.cursor : this.#more.cursor;
    if (this.#more.busy) return skeleton(1);
    return [this.#more.problem && h("p", { class: "stale" }, icon("away"), this.#more.problem.message), cursor && h("p", { class: "foot" }, button("Older ones", () => this.#older()))];
  }
}

/** Several letters may be about the record at one place; putting it back is about all of them. */
const nameOf = ({ place, error, field, reason, notification_id: id }) => [place, error, field, reason, id].join(" ");

function payload(row) {
  const { text, json } = pretty(row.payload);
  const kind = row.binary ? "not text: bytes shown as they can be" : json ? "JSON" : "text, not JSON";
  const cut = row.payload.length >= 10_000 ? ", the first 10,000 characters" : "";
  return h("div", { class: "payload" },
    h("dl", { class: "facts wide" }, h("div", {}, h("dt", {}, "error"), h("dd", {}, h("code", {}, row.error))), row.field && h("div", {}, h("dt", {}, "field"), h("dd", {}, h("code", {}, row.field))), h("div", {}, h("dt", {}, "reason"), h("dd", {}, row.reason)), h("div", {}, h("dt", {}, "payload"), h("dd", {}, kind + cut))),
    h("pre", { tabindex: 0 }, text));
}
