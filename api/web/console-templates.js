// Templates: what there is, in which version and language, and what it would say with which data.
import { get, post } from "/web/console-api.js";
import { h } from "/web/console-dom.js";
import { time, words } from "/web/console-format.js";
import { lineAt, namesOf, readObject } from "/web/console-json.js";
import { from, nothing, panel, skeleton, trouble } from "/web/console-parts.js";
import { said } from "/web/console-preview.js";
import { Source } from "/web/console-source.js";

const PAUSE_MS = 350;

/** #/templates/{id}?version=3&locale=de */
export const templates = { title: "Templates", open: (page, route) => new Templates(page, route) };

class Templates {
  #page;
  #list;
  #id = "";
  #number = null;
  #version = null;
  #locale = "";
  #text = "";
  #wrong = null;
  #preview = null;
  #problem = null;
  #asked = 0;
  #timer = 0;

  constructor(page, route) {
    this.#page = page;
    this.#list = new Source(() => get("/v1/templates"), 30_000, () => this.#came());
    this.move(route);
  }

  close() {
    clearTimeout(this.#timer);
    this.#list.close();
    this.#version?.close();
  }

  move(route) {
    const id = route.parts[0] ?? "";
    const number = route.params.get("version");
    const same = id === this.#id && number === this.#number;
    [this.#id, this.#number, this.#locale] = [id, number, route.params.get("locale") ?? ""];
    if (same) return this.#locale !== "" && this.#show();
    this.#version?.close();
    [this.#version, this.#preview, this.#problem, this.#wrong, this.#text] = [null, null, null, null, ""];
    this.#came();
  }

  get #template() {
    return this.#list.data?.templates.find((each) => each.template_id === this.#id);
  }

  /** The version in the address; else the one in use; else the newest. */
  get #chosen() {
    const { published, bundled, versions } = this.#template;
    if (this.#number !== null) return Number(this.#number);
    return published || bundled ? published : (versions[0]?.number ?? 0);
  }

  #came() {
    if (!this.#id && this.#list.data?.templates.length) return this.#page.go(`#/templates/${encodeURIComponent(this.#list.data.templates[0].template_id)}`, true);
    if (this.#template && !this.#version) {
      const address = `/v1/templates/${encodeURIComponent(this.#id)}/versions/${this.#chosen}`;
      this.#version = new Source(() => get(address), 0, () => this.#began());
    }
    this.#page.redraw();
  }

  /** The version is there: its sample is the data to begin with. */
  #began() {
    const { data } = this.#version;
    if (data && !this.#text) this.#text = JSON.stringify(data.sample, null, 2);
    if (data) this.#show();
    this.#page.redraw();
  }

  #typed(text) {
    this.#text = text;
    const { problem } = readObject(text);
    this.#wrong = problem ?? null;
    clearTimeout(this.#timer);
    if (!problem) this.#timer = setTimeout(() => this.#show(), PAUSE_MS);
    this.#page.redraw();
  }

  async #show() {
    const { value, problem } = readObject(this.#text);
    if (problem || !this.#version?.data) return;
    const mine = ++this.#asked;
    const body = { version: this.#version.data.number, locale: this.#locale || this.#version.data.default_locale, data: value };
    const [found, error] = await post(`/v1/templates/${encodeURIComponent(this.#id)}:preview`, body).then((answer) => [answer, null], (failed) => [null, failed]);
    if (mine !== this.#asked) return;
    if (found) [this.#preview, this.#problem, this.#wrong] = [found, null, null];
    else this.#refused(error);
    this.#page.redraw();
  }

  /** What is wrong with the data is said beside it; anything else where the preview would be. */
  #refused(error) {
    const place = error.errors.find(({ pointer }) => pointer.startsWith("#/data"));
    this.#problem = place ? null : error;
    if (place) this.#wrong = { line: lineAt(this.#text, namesOf(place.pointer).slice(1)), pointer: place.pointer, detail: place.detail };
  }

  draw() {
    const empty = ["No templates", "Make one with POST /v1/templates."];
    return [h("h1", { tabindex: -1 }, "Templates"), h("p", { class: "lead-in" }, "What is said, in every version and language, as each channel would show it."),
      this.#list.data === null ? panel({ key: "first" }, from(this.#list, () => null, { rows: 8, empty })) : h("div", { class: "split-view", key: "both" }, this.#names(), h("div", { class: "stack", key: this.#id }, this.#detail()))];
  }

  #names() {
    const link = (each) => h("li", { key: each.template_id }, h("a", { href: `#/templates/${encodeURIComponent(each.template_id)}`, "aria-current": each.template_id === this.#id ? "page" : null }, h("b", {}, words(each.template_id)), h("span", { class: "soft" }, each.published ? `version ${each.published}` : each.bundled ? "bundled" : "not in use")));
    return h("nav", { class: "panel names", "aria-label": "Templates" }, h("ul", {}, this.#list.data.templates.map(link)));
  }

  #detail() {
    if (!this.#template) return panel({}, nothing("There is no such template", this.#id));
    if (!this.#version) return skeleton(4);
    return [this.#tools(), from(this.#version, (version) => h("div", { class: "stack" }, this.#said(), this.#data(version)), { rows: 8 })];
  }

  #tools() {
    const { versions, published } = this.#template;
    const version = this.#version.data;
    const go = (change) => {
      const params = new URLSearchParams({ version: this.#chosen, locale: this.#locale || (version?.default_locale ?? "en"), ...change });
      this.#page.go(`#/templates/${encodeURIComponent(this.#id)}?${params}`);
    };
    const label = (each) => `${each.number ? `Version ${each.number}` : "Bundled words"}${each.number === published ? ", in use" : ""}`;
    const chosen = versions.find(({ number }) => number === this.#chosen);
    return h("div", { class: "panel tools" },
      h("h2", {}, words(this.#id), " ", h("code", { class: "soft" }, this.#id)),
      h("label", { class: "field" }, h("span", {}, "Version"), h("select", { value: String(this.#chosen), on: { change: (event) => go({ version: event.target.value }) } }, versions.map((each) => h("option", { value: String(each.number), key: each.number }, label(each))))),
      h("label", { class: "field" }, h("span", {}, "Language"), h("select", { value: this.#locale || version?.default_locale, on: { change: (event) => go({ locale: event.target.value }) } }, (chosen?.locales ?? []).map((each) => h("option", { value: each, key: each }, each)))),
      h("span", { class: "grow soft" }, chosen?.number > 0 && ["made ", time(chosen.created_at), chosen.note && " · "], chosen?.note));
  }

  #said() {
    if (this.#problem) return panel({ key: "problem" }, trouble(this.#problem, () => this.#show()));
    if (!this.#preview) return this.#wrong ? null : skeleton(5);
    return h("div", { key: "preview", class: this.#wrong ? "previews old" : "previews" }, said(this.#preview, this.#page.redraw));
  }

  #data({ variables }) {
    const wrong = this.#wrong;
    const names = Object.entries(variables);
    return panel({ title: "Data", about: "what the words are filled with", key: "data" },
      h("div", { class: "editor" },
        h("textarea", { id: "data", spellcheck: "false", autocomplete: "off", rows: Math.min(18, Math.max(6, this.#text.split("\n").length + 1)), "aria-label": "Data as JSON", "aria-invalid": wrong ? "true" : null, "aria-describedby": "data-problem", value: this.#text, on: { input: (event) => this.#typed(event.target.value) } }),
        h("div", { class: "beside" },
          h("p", { id: "data-problem", class: "wrong", role: "alert", hidden: !wrong }, wrong && [wrong.line > 0 && h("b", {}, `Line ${wrong.line} `), wrong.pointer && [h("code", {}, wrong.pointer), " "], wrong.detail]),
          names.length > 0 && [h("h3", {}, "Variables"), h("ul", { class: "variables" }, names.map(([name, each]) => h("li", { key: name }, h("code", {}, name), " ", h("span", { class: "soft" }, [each.type ?? "string", each.required === false ? "optional" : null, each.about].filter(Boolean).join(", ")))))])));
  }
}
