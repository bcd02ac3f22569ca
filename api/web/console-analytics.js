// The questions analysts ask, with their parameters: a picture where one fits, the table, and the table as CSV.
import { get } from "/web/console-api.js";
import { barRows, funnel, weekGrid, whiskers } from "/web/console-bars.js";
import { timeChart } from "/web/console-chart.js";
import { csv, save } from "/web/console-csv.js";
import { h, memo } from "/web/console-dom.js";
import { count, words } from "/web/console-format.js";
import { icon } from "/web/console-icons.js";
import { button, from, nothing, panel, table } from "/web/console-parts.js";
import { isNumber, isTime, picture, reader } from "/web/console-questions.js";
import { buckets } from "/web/console-scale.js";
import { Source } from "/web/console-source.js";

const SHOWN = 200;
const RANGES = [[1, "last hour"], [24, "last 24 hours"], [168, "last 7 days"], [720, "last 30 days"]];

/** #/analytics/{question}?hours=24&… */
export const analytics = { title: "Analytics", open: (page, route) => new Analytics(page, route) };

class Analytics {
  #page;
  #questions;
  #name = "";
  #given = {};
  #answer = null;
  #shown = SHOWN;

  constructor(page, route) {
    this.#page = page;
    this.#questions = new Source(() => get("/v1/stats"), 0, () => this.#came());
    this.move(route);
  }

  close() {
    this.#questions.close();
    this.#answer?.close();
  }

  move(route) {
    this.#answer?.close();
    [this.#name, this.#given, this.#answer, this.#shown] = [route.parts[0] ?? "", Object.fromEntries(route.params), null, SHOWN];
    this.#came();
  }

  get #question() {
    return this.#questions.data?.questions.find(({ name }) => name === this.#name);
  }

  #came() {
    const { data } = this.#questions;
    if (!this.#name && data?.questions.length) return this.#page.go(`#/analytics/${data.questions[0].name}`, true);
    if (this.#question && !this.#answer) this.#answer = new Source(() => get(`/v1/stats/${this.#name}`, this.#given), 0, this.#page.redraw);
    this.#page.redraw();
  }

  draw() {
    const head = [h("h1", { tabindex: -1 }, "Analytics"), h("p", { class: "lead-in" }, "Named questions to the books. The same ones in a terminal: ", h("code", {}, "tocsin sql --named"), ".")];
    if (!this.#questions.data) return [head, panel({ key: "first" }, from(this.#questions, () => null, { rows: 8 }))];
    return [head, h("div", { class: "split-view", key: "both" }, this.#names(), h("div", { class: "stack", key: this.#name }, this.#question ? this.#asked() : panel({}, nothing("There is no such question", this.#name))))];
  }

  #names() {
    const link = ({ name }) => h("li", { key: name }, h("a", { href: `#/analytics/${name}`, "aria-current": name === this.#name ? "page" : null }, h("b", {}, words(name))));
    return h("nav", { class: "panel names", "aria-label": "Questions" }, h("ul", {}, this.#questions.data.questions.map(link)));
  }

  #asked() {
    const { about, detail, parameters } = this.#question;
    const usual = Object.fromEntries(parameters.map((each) => [each.name, each.default]));
    const submit = (event) => {
      event.preventDefault();
      const given = new URLSearchParams([...new FormData(event.target)].filter(([name, value]) => value !== String(usual[name] ?? "")));
      const to = `#/analytics/${this.#name}${given.size ? `?${given}` : ""}`;
      if (location.hash === to) this.#answer.again();
      else this.#page.go(to);
    };
    const form = h("form", { class: "tools", on: { submit } }, parameters.map((each) => this.#field(each)), h("button", { class: "button primary" }, "Ask"));
    return [
      h("div", { class: "panel question", key: "question" }, h("h2", {}, words(this.#name)), h("p", {}, coded(about)), detail && h("p", { class: "soft" }, coded(detail)), form),
      from(this.#answer, (found) => this.#found(found), { rows: 8 }),
    ];
  }

  #field({ name, type, default: usual, about }) {
    const now = this.#given[name] ?? (usual === null || usual === undefined ? "" : String(usual));
    if (name === "hours") {
      const known = RANGES.some(([hours]) => String(hours) === now) ? RANGES : [...RANGES, [now, `last ${now} hours`]];
      return h("label", { class: "field", key: name, title: about }, h("span", {}, "When"), h("select", { name, value: now, on: { change: (event) => event.target.form.requestSubmit() } }, known.map(([hours, said]) => h("option", { value: String(hours) }, said))));
    }
    const number = isNumber({ type });
    return h("label", { class: "field", key: name, title: about }, h("span", {}, words(name)), h("input", { name, type: number ? "number" : "text", min: number ? 0 : null, size: 14, placeholder: about, "data-of": now, hook: (node) => node.was !== now && ((node.was = now), (node.value = now)) }));
  }

  #found({ columns, rows, truncated }) {
    if (!rows.length) return panel({ key: "none" }, nothing("Nothing to count", "No delivery or event is within what was asked. Ask for a longer time."));
    const read = columns.map((column, at) => reader(column, at, rows));
    const shown = rows.slice(0, this.#shown).map((row, number) => ({ row, number }));
    const drawn = columns.map(({ name }, at) => ({ title: words(name), kind: isNumber(columns[at]) ? "number" : isTime(columns[at]) ? "" : "text", cell: ({ row }) => read[at](row[at]) }));
    const download = () => save(`${this.#name}.csv`, csv(columns.map(({ name }) => name), rows));
    const aside = h("button", { type: "button", class: "button small", on: { click: download } }, icon("download"), "CSV");
    return h("div", { class: "stack" },
      this.#picture(columns, rows, this.#page.drawn()),
      panel({ title: "Answer", about: `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}${truncated ? ", and more that are left out" : ""}`, aside, key: "table" },
        table({ columns: drawn, rows: shown, keyOf: ({ number }) => String(number), label: words(this.#name) }),
        rows.length > this.#shown && h("p", { class: "foot" }, button(`Show more of ${count(rows.length)}`, () => ((this.#shown += 500), this.#page.redraw())))));
  }

  #picture = memo((columns, rows) => {
    const found = picture(columns, rows);
    if (!found) return null;
    const inside = { funnel: ({ steps }) => funnel(steps), whiskers: (it) => whiskers(it.rows), bars: (it) => barRows(it.rows, it.format), week: (it) => weekGrid(it.days, it.grid), time: overTime }[found.kind](found);
    const title = { funnel: "Funnel", whiskers: "Rates, with their 95 % interval", bars: words(found.about ?? ""), week: "Hours of the week", time: words(found.about ?? "") }[found.kind];
    return panel({ title, key: "picture", kind: found.kind === "time" ? "chart-panel" : "" }, inside);
  });
}

/** What stands between backticks is a name. */
const coded = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

function overTime({ rows, names, from: first, to, step, about }) {
  const series = names.map((name, i) => ({ name: `n${i}`, label: name }));
  const named = rows.map((row) => ({ ...row, name: `n${names.indexOf(row.name)}` }));
  return timeChart({ id: "answer", label: words(about), points: buckets(named, { from: first, to, step }), series, step });
}
