// Find a person or a notification, and read what became of it and why.
import { get, session } from "/web/console-api.js";
import { h } from "/web/console-dom.js";
import { channelName, count, words } from "/web/console-format.js";
import { icon, state } from "/web/console-icons.js";
import { button, from, nothing, panel, since, skeleton, table, trouble } from "/web/console-parts.js";
import { path } from "/web/console-path.js";
import { Source } from "/web/console-source.js";

const PAGE = 50;
const LIVE_MS = 4_000;
const hrefOf = (kind, id) => `#/trace/${kind}/${encodeURIComponent(id)}`;

/** #/trace?q=…, #/trace/u/{user}, #/trace/n/{notification} */
export const trace = { title: "Trace", open: (page, route) => new Trace(page, route) };

class Trace {
  #page;
  #route = {};
  #source = null;
  #more = null;

  constructor(page, route) {
    this.#page = page;
    this.move(route);
  }

  /** Another address within this view. */
  move(route) {
    this.close();
    const [kind, id] = route.parts;
    const query = route.params.get("q")?.trim() ?? "";
    this.#route = { kind: id ? kind : query ? "q" : "", id: id ?? query };
    this.#more = { notifications: [], cursor: undefined, busy: false, problem: null };
    const load = { n: () => get(`/v1/notifications/${encodeURIComponent(id)}`), u: () => get(usersPath(id), { limit: PAGE }), q: () => get("/v1/ops/search", { q: query }) }[this.#route.kind];
    if (load) this.#source = new Source(load, this.#route.kind === "q" ? 0 : LIVE_MS, () => this.#came());
  }

  close() {
    this.#source?.close();
    this.#source = null;
  }

  /** A search that found one thing goes there. */
  #came() {
    const { kind } = this.#route;
    const { users, notifications } = this.#source?.data ?? {};
    if (kind === "q" && users && notifications && users.length + notifications.length === 1 && !this.#source.problem) {
      const [user, one] = [users[0], notifications[0]];
      return this.#page.go(user ? hrefOf("u", user.user_id) : hrefOf("n", one.notification_id), true);
    }
    this.#page.redraw();
  }

  draw() {
    const { kind } = this.#route;
    const inside = { n: () => this.#one(), u: () => this.#person(), q: () => this.#found() }[kind];
    return [
      h("h1", { tabindex: -1 }, "Trace"),
      this.#search(),
      inside ? inside() : panel({ key: "hint" }, nothing("Whose, or which?", "Type a user id, or the id of a notification as POST /v1/notifications answered it. Every decision about it is told, step by step.")),
    ];
  }

  #search() {
    const submit = (event) => {
      event.preventDefault();
      const q = event.target.elements.q.value.trim();
      if (q) this.#page.go(`#/trace?${new URLSearchParams({ q })}`);
    };
    const begin = (node) => node.dataset.of !== this.#route.id && ((node.dataset.of = this.#route.id), (node.value = this.#route.id));
    return h("form", { class: "search", role: "search", key: "search", on: { submit } }, icon("search"),
      h("input", { name: "q", type: "search", id: "search", maxlength: 160, autocomplete: "off", spellcheck: "false", placeholder: "User id or notification id", "aria-label": "User id or notification id", hook: begin }),
      h("button", { class: "button primary" }, "Find"));
  }

  #found() {
    const empty = ["Nobody and nothing is called that", "Ids are compared from their beginning. A notification is found as soon as it is in the books, a second or two after it was accepted."];
    const draw = ({ users: people, notifications: told }) => {
      const [users, notifications] = [people ?? [], told ?? []];
      if (people && told && !users.length && !notifications.length) return null;
      return h("div", { class: "columns two" },
        h("div", {}, h("h3", {}, people ? `People (${count(users.length)})` : "People: not known while Redis is away"), h("ul", { class: "links" }, users.map(({ user_id: id }) => h("li", {}, h("a", { href: hrefOf("u", id) }, id))))),
        h("div", {}, h("h3", {}, told ? `Notifications (${count(notifications.length)})` : "Notifications: not known while ClickHouse is away"), h("ul", { class: "links" }, notifications.map((each) => h("li", {}, h("a", { href: hrefOf("n", each.notification_id) }, h("b", {}, words(each.type)), " ", h("code", {}, each.notification_id)), h("span", { class: "soft" }, each.user_id, " · ", since(each.accepted_at)))))));
    };
    return panel({ title: "Found", key: "found" }, from(this.#source, draw, { empty }));
  }

  #person() {
    const { id } = this.#route;
    const empty = ["Nothing was ever sent to this person", "or the id is another one. What is sent shows up here a second or two later."];
    return panel({ title: id, about: "notifications, newest first", key: `u ${id}` }, from(this.#source, () => this.#list(), { rows: 6, empty }), this.#foot());
  }

  #list() {
    const first = this.#source.data.notifications;
    const known = new Set(first.map((each) => each.notification_id));
    const rows = [...first, ...this.#more.notifications.filter((each) => !known.has(each.notification_id))];
    if (!rows.length) return null;
    const columns = [
      { title: "What", cell: (row) => h("a", { class: "strong", href: hrefOf("n", row.notification_id) }, words(row.type)) },
      { title: "Accepted", cell: (row) => since(row.accepted_at) },
      { title: "What became of it", kind: "wide", cell: (row) => h("ul", { class: "ways" }, Object.entries(row.channels).map(([channel, to]) => h("li", { key: channel, title: [to.provider, to.reason].filter(Boolean).join(": ") }, h("span", { class: "soft" }, channelName(channel)), " ", state(to.state)))) },
      { title: "Id", cell: (row) => h("code", { class: "clip soft", title: row.notification_id }, row.notification_id) },
    ];
    return table({ columns, rows, keyOf: (row) => row.notification_id, label: "Notifications" });
  }

  #foot() {
    const { cursor, busy, problem } = this.#more;
    const next = cursor === undefined ? this.#source.data?.cursor : cursor;
    if (busy) return skeleton(1);
    return [problem && trouble(problem), next && h("p", { class: "foot" }, button("Older ones", () => this.#older(next)))];
  }

  async #older(cursor) {
    const more = this.#more;
    more.busy = true;
    this.#page.redraw();
    await get(usersPath(this.#route.id), { limit: PAGE, cursor }).then(
      (found) => Object.assign(more, { notifications: [...more.notifications, ...found.notifications], cursor: found.cursor, problem: null }),
      (problem) => Object.assign(more, { problem }),
    );
    more.busy = false;
    this.#page.redraw();
  }

  #one() {
    const { problem, data } = this.#source;
    if (problem?.status === 404 && data === null)
      return panel({ key: "404" }, nothing("Nothing is known of this notification", problem.message, ". One that was just accepted is in the books a second or two later; this page keeps looking."));
    if (problem?.status === 403 && !session.token) problem.message = "";
    return h("div", { key: `n ${this.#route.id}` }, from(this.#source, path, { rows: 8 }));
  }
}

const usersPath = (id) => `/v1/ops/users/${encodeURIComponent(id)}/notifications`;
