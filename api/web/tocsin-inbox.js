// <tocsin-inbox>: a person's notifications on any page, and the client inside it. One module, nothing
// else to load. README.md beside this file says how to use it, tocsin-inbox.d.ts what it exports.
//
//   1 decisions   pure functions: when to come back, what two lists make together, how long ago
//   2 client      TocsinClient: ticket, socket, resume, acknowledgements, the inbox over HTTP
//   3 words       what people read, in five languages
//   4 looks       the style sheet, the icons
//   5 element     TocsinInbox: bell, panel, list, toasts

// ---- 1 decisions ------------------------------------------------------------------------------

const LONGEST_MS = 30_000;
const FIRST_MS = 1_000;
const NOW_MS = 2_000;
const LIVED_MS = 10_000; // a connection that lasted so long was a good one: tries count from 0 again
const LONGEST_ASKED_MS = 600_000;

/**
 * Every code the server closes with: its name, and what a client does then ("no", "now", "backoff",
 * "new_ticket"). The server's own table is actors/sockets/close_codes.py; a test holds both together.
 */
export const CLOSE_CODES = Object.freeze({
  1000: { name: "normal", reconnect: "no" },
  1002: { name: "bad_frame", reconnect: "no" },
  1003: { name: "text_only", reconnect: "no" },
  1007: { name: "invalid_utf8", reconnect: "no" },
  1009: { name: "too_big", reconnect: "no" },
  1011: { name: "internal", reconnect: "backoff" },
  1012: { name: "restart", reconnect: "now" },
  1013: { name: "try_again", reconnect: "backoff" },
  4400: { name: "protocol", reconnect: "no" },
  4401: { name: "unauthorized", reconnect: "new_ticket" },
  4403: { name: "forbidden", reconnect: "no" },
  4408: { name: "hello_timeout", reconnect: "now" },
  4409: { name: "too_many_sockets", reconnect: "no" },
  4413: { name: "slow", reconnect: "now" },
  4429: { name: "rate", reconnect: "backoff", afterMs: 30_000 },
});

/** What to do after a close: {name, reconnect, afterMs}. Codes nobody gave us (1006: the line broke) back off. */
export function afterClose(code) {
  return { afterMs: 0, ...(CLOSE_CODES[code] ?? { name: "connection_lost", reconnect: "backoff" }) };
}

/** Milliseconds before try number `failures` (from 0): anything up to 1 s, 2 s, 4 s … 30 s. Full jitter. */
export function backoff(failures, random = Math.random) {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
}

/** Milliseconds until the next try, null for never. "now" and "new_ticket" back off, too, when they keep failing. */
export function reconnectDelay(reconnect, failures, random = Math.random) {
  if (reconnect === "no") return null;
  if (reconnect === "now" && failures < 2) return random() * NOW_MS;
  if (reconnect === "new_ticket" && failures < 1) return 0;
  return backoff(failures, random);
}

/** Retry-After (seconds or a date) in milliseconds from `now`; 0 when there is none. At most ten minutes. */
export function retryAfter(header, now = Date.now()) {
  if (!header) return 0;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(LONGEST_ASKED_MS, Math.max(0, ms)) : 0;
}

/** What an HTTP status means: {kind, again}, `again` whether the same request may work later. */
export function classify(status) {
  if (status === 401) return { kind: "unauthorized", again: false };
  if (status === 403) return { kind: "forbidden", again: false };
  if (status === 404) return { kind: "not_found", again: false };
  if (status === 408 || status === 425 || status === 429) return { kind: "busy", again: true };
  if (status >= 500) return { kind: "unavailable", again: true };
  return { kind: "invalid", again: false };
}

/** Two lists of items as one: newest first, each notification once. What is in `items` wins. */
export function merge(items, more) {
  const known = new Map();
  for (const item of [...items, ...more]) {
    const id = item.notification.notification_id;
    if (!known.has(id)) known.set(id, item);
  }
  return [...known.values()].sort((a, b) => b.offset - a.offset);
}

/**
 * `items` after a change: {op: "add", items}, {op: "read" | "unread" | "deleted", ids} or
 * {op: "read", all: true}. The same array when nothing changes.
 */
export function applied(items, change) {
  if (change.op === "add") return merge(items, change.items);
  const ids = new Set(change.ids);
  const meant = (item) => change.all || ids.has(item.notification.notification_id);
  if (change.op === "deleted") return items.some(meant) ? items.filter((item) => !meant(item)) : items;
  const unread = change.op === "unread";
  if (!items.some((item) => meant(item) && item.unread !== unread)) return items;
  return items.map((item) => (meant(item) && item.unread !== unread ? { ...item, unread } : item));
}

/**
 * The items that are loaded. Changes that come while a page is on its way are applied to that page,
 * too, so that an answer of a moment ago undoes nothing.
 */
export class ItemList {
  items = [];
  /** Asks for the next page; null: all is here. */
  cursor = null;
  #journals = new Set();

  /** Something happened: see `applied`. */
  change(change) {
    for (const journal of this.#journals) journal.push(change);
    this.items = applied(this.items, change);
  }

  /** A page is asked for now. Hand what this returns to `reload`, `more` or `forget`. */
  begin() {
    const journal = [];
    this.#journals.add(journal);
    return journal;
  }

  /** The first page came: it takes the place of what was here. */
  reload(journal, page) {
    this.#end(journal, [], page);
  }

  /** An older page came. */
  more(journal, page) {
    this.#end(journal, this.items, page);
  }

  /** The page will not come. */
  forget(journal) {
    this.#journals.delete(journal);
  }

  #end(journal, before, page) {
    this.#journals.delete(journal);
    this.items = journal.reduce(applied, merge(before, page.items));
    this.cursor = page.cursor ?? null;
  }
}

/** The first `most` SKUs of items, newest first, each once. */
export function skusOf(items, most = 100) {
  const found = new Set();
  for (const { notification } of items) {
    if (found.size === most) break;
    if (notification.sku) found.add(notification.sku);
  }
  return [...found];
}

/** An address that is safe to follow, absolute; "" for anything but http and https. */
export function safeUrl(url, base) {
  if (!url) return "";
  try {
    const found = new URL(url, base);
    return found.protocol === "https:" || found.protocol === "http:" ? found.href : "";
  } catch {
    return "";
  }
}

/** The address to follow: `link` is counted on its way to `url`, where the server counts. */
export function wayOf({ link, url }, base) {
  return safeUrl(link, base) || safeUrl(url, base);
}

const UNITS = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86_400],
];

/** How long ago, in words; after a week the date. Times to come (clocks differ) are "now". */
export function relativeTime(at, now, locale) {
  const then = new Date(at);
  const seconds = Math.max(0, (now - then.getTime()) / 1000);
  if (Number.isNaN(seconds)) return "";
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  if (seconds < 45) return words.format(0, "second");
  if (seconds < 7 * 86_400) {
    const [unit, length] = UNITS.findLast(([, length]) => seconds >= length) ?? UNITS[0];
    return words.format(-Math.max(1, Math.floor(seconds / length)), unit);
  }
  const year = then.getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year }).format(then);
}

/** What the badge says: "" for 0, "99+" beyond 99. */
export function badgeText(unread, locale) {
  if (unread <= 0) return "";
  const number = new Intl.NumberFormat(locale);
  return unread > 99 ? `${number.format(99)}+` : number.format(unread);
}

const EDGE = 8;

/**
 * Where the panel goes, in CSS pixels: {left, up, offset, room}. Under the bell, or above it (`up`)
 * where below is little room; their far edges in line; always within the viewport. `offset` is
 * from the viewport's top, or with `up` from its bottom; `room` is the most height there is.
 */
export function place(bell, width, view, rtl) {
  const below = view.height - bell.bottom - 2 * EDGE;
  const above = bell.top - 2 * EDGE;
  const up = below < 320 && above > below;
  const wanted = rtl ? bell.left : bell.right - width;
  const left = Math.max(EDGE, Math.min(wanted, view.width - width - EDGE));
  const offset = (up ? view.height - bell.top : bell.bottom) + EDGE;
  return { left, up, offset, room: Math.max(160, up ? above : below) };
}

// ---- 2 client ---------------------------------------------------------------------------------

const PING_MS = 25_000;
const PONG_MS = 10_000;
const PROBE_MS = 5_000;
const READY_MS = 15_000;
const HTTP_MS = 15_000;
const ACK_MS = 250;
const WATCH_MS = 200;
const SEEN = 1_000;
const MOST_IDS = 200;
const MOST_SKUS = 100;

/** Why something did not work. `kind` is one word that does not change, `again` whether later may help. */
export class TocsinError extends Error {
  constructor(kind, message, { again = false, status = 0, afterMs = 0, code = 0 } = {}) {
    super(message);
    this.name = "TocsinError";
    Object.assign(this, { kind, again, status, afterMs, code });
  }
}

/** Where Tocsin is: what was said, else where this module came from, else where the page is. */
function home(api) {
  const page = globalThis.document?.baseURI;
  if (api) return new URL(api, page).href.replace(/\/+$/, "");
  if (import.meta.url.startsWith("http")) return new URL(import.meta.url).origin;
  if (!page) throw new TypeError("`api` is needed: where Tocsin is");
  return new URL(page).origin;
}

/** Ids, oldest forgotten first. */
class Seen {
  #ids = new Set();

  has(id) {
    return this.#ids.has(id);
  }

  add(id) {
    this.#ids.delete(id);
    this.#ids.add(id);
    if (this.#ids.size > SEEN) this.#ids.delete(this.#ids.values().next().value);
  }
}

/**
 * One person's inbox, live. An EventTarget; every event's `detail` carries what happened and `unread`.
 *
 * - `state` {state, reason?, code?, retryAt?}: idle, connecting, live, waiting, offline, stopped, closed
 * - `notification` {item, notification, known}: each id at most once; `known`: a page had it already
 * - `read`, `unread`, `deleted` {ids}: here or on another device
 * - `stock` {sku, available}: of a watched SKU
 * - `reset` {reason, offset}: list again. "first": now connected; "gap": something is missing;
 *   "resumed": nothing is missing, but what other devices read or deleted meanwhile is not told
 * - `problem` {error, during}: a TocsinError; the client goes on by itself unless state is "stopped"
 */
export class TocsinClient extends EventTarget {
  #api;
  #options;
  #token = null;
  #state = "idle";
  #unread = 0;
  #counts = 0; // frames that told the number
  #position = null;
  #socket = null;
  #live = false;
  #since = 0;
  #turn = 0;
  #failures = 0;
  #notBefore = 0;
  #again = 0;
  #pulse = 0;
  #deadline = 0;
  #ack = { offset: 0, timer: 0 };
  #watched = { skus: [], timer: 0 };
  #listed = new Seen();
  #told = new Seen();

  /** `api`: where Tocsin is; one of `token` and `getToken`; `types` to see only these; `watch`: SKUs. */
  constructor({ api = "", token, getToken, types = [], watch = [] } = {}) {
    super();
    this.#api = home(api);
    this.#options = { token, getToken, types: [...types] };
    this.#watched.skus = watch.slice(0, MOST_SKUS);
  }

  get state() {
    return this.#state;
  }

  get unread() {
    return this.#unread;
  }

  /** {epoch, offset}: how far this client has everything; null before the first connection. */
  get position() {
    return this.#position && { ...this.#position };
  }

  /** Connect, or try at once. Returns itself. */
  connect() {
    if (this.#socket || this.#state === "connecting") return this;
    globalThis.addEventListener?.("online", this.#hurry);
    globalThis.addEventListener?.("offline", this.#doubt);
    globalThis.document?.addEventListener("visibilitychange", this.#shown);
    this.#failures = 0;
    this.#open();
    return this;
  }

  /** Leave. `connect` comes back, and resumes. */
  close() {
    globalThis.removeEventListener?.("online", this.#hurry);
    globalThis.removeEventListener?.("offline", this.#doubt);
    globalThis.document?.removeEventListener("visibilitychange", this.#shown);
    this.#acknowledge();
    this.#drop();
    this.#become("closed");
  }

  /** A page, newest first: {items, cursor, unread}. Throws TocsinError. */
  async list({ cursor, status = "all", types = this.#options.types, limit = 20 } = {}) {
    const query = new URLSearchParams({ status, limit: String(limit) });
    if (types.length) query.set("type", types.join(","));
    if (cursor != null) query.set("cursor", String(cursor));
    const counts = this.#counts;
    const page = await this.#ask("GET", `/v1/inbox?${query}`);
    for (const item of page.items) this.#listed.add(item.notification.notification_id);
    this.#answered(counts, page.unread);
    return page;
  }

  /** Mark these as read, or "all". Throws TocsinError. */
  async markRead(ids) {
    if (ids !== "all") return this.#mark("read", ids);
    const counts = this.#counts;
    const answer = await this.#ask("POST", "/v1/inbox:read-all");
    this.#answered(counts, answer.unread);
    this.#emit("read", { ids: answer.read ?? [], all: true });
  }

  /** Let these count as unread again. Throws TocsinError. */
  async markUnread(ids) {
    return this.#mark("unread", ids);
  }

  /** Delete these. Throws TocsinError. */
  async remove(ids) {
    return this.#mark("deleted", ids);
  }

  /** Hear the stock of these SKUs (at most 100) from now on, and of no others. */
  watch(skus) {
    const wanted = [...new Set(skus)].slice(0, MOST_SKUS);
    const before = new Set(this.#watched.skus);
    if (wanted.length === before.size && wanted.every((sku) => before.has(sku))) return;
    this.#watched.skus = wanted;
    if (!this.#watched.timer) this.#watched.timer = setTimeout(() => this.#sayWatch(), WATCH_MS);
  }

  async #mark(op, ids) {
    const all = [...ids];
    for (let i = 0; i < all.length; i += MOST_IDS) {
      const some = all.slice(i, i + MOST_IDS);
      const counts = this.#counts;
      const answer = await this.#ask("POST", `/v1/inbox:${op === "deleted" ? "delete" : op}`, { ids: some });
      this.#answered(counts, answer?.unread);
    }
    if (all.length) this.#emit(op, { ids: all });
  }

  /** The number in an answer counts unless the socket, which tells every change in order, has told one since. */
  #answered(counts, unread) {
    if (unread !== undefined && counts === this.#counts) this.#unread = unread;
  }

  // HTTP

  async #ask(method, path, body) {
    const pass = this.#pass();
    const used = this.#token;
    const answer = await this.#fetch(method, path, body, await pass);
    if (answer.status !== 401 || !this.#options.getToken) return this.#read(answer);
    if (this.#token === used) this.#token = null; // else somebody asked for a newer one meanwhile
    return this.#read(await this.#fetch(method, path, body, await this.#pass()));
  }

  async #pass() {
    const { token, getToken } = this.#options;
    if (!getToken) return token;
    this.#token ??= Promise.resolve().then(getToken);
    const asked = this.#token;
    try {
      return await asked;
    } catch (error) {
      if (this.#token === asked) this.#token = null;
      throw new TocsinError("token", `getToken failed: ${error?.message ?? error}`, { again: true });
    }
  }

  async #fetch(method, path, body, token) {
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body) headers["Content-Type"] = "application/json";
    const signal = AbortSignal.timeout(HTTP_MS);
    // keepalive: what a click marks as read is said although the click leaves the page
    const options = { method, headers, signal, cache: "no-store", keepalive: method !== "GET" };
    try {
      return await fetch(this.#api + path, { ...options, body: body && JSON.stringify(body) });
    } catch (error) {
      throw new TocsinError("network", `${method} ${path.split("?")[0]}: ${error.message}`, { again: true });
    }
  }

  async #read(answer) {
    if (answer.ok) return answer.status === 204 ? null : answer.json().catch(garbled);
    const { kind, again } = classify(answer.status);
    const problem = await answer.json().catch(() => null);
    throw new TocsinError(kind, problem?.detail ?? problem?.title ?? `HTTP ${answer.status}`, {
      again,
      status: answer.status,
      afterMs: retryAfter(answer.headers.get("Retry-After")),
    });
  }

  // the socket

  async #open() {
    const turn = ++this.#turn;
    clearTimeout(this.#again);
    this.#become("connecting");
    try {
      const { url, ticket } = await this.#ask("GET", "/v1/ws-ticket");
      if (turn === this.#turn) this.#listen(new WebSocket(url), ticket);
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
    }
  }

  #failed(error) {
    const known = error instanceof TocsinError ? error : new TocsinError("blocked", error.message);
    this.#emit("problem", { error: known, during: "connect" });
    if (known.again) this.#later("backoff", known.kind, 0, known.afterMs);
    else this.#stop(known.kind, 0);
  }

  #listen(socket, ticket) {
    this.#socket = socket;
    const mine = (work) => (event) => socket === this.#socket && work(event);
    socket.onopen = mine(() => {
      const resume = this.#position;
      this.#say(resume ? { op: "hello", ticket, resume } : { op: "hello", ticket });
    });
    socket.onmessage = mine(({ data }) => {
      clearTimeout(this.#deadline);
      this.#frame(JSON.parse(data));
    });
    socket.onclose = mine(({ code }) => this.#lost(code));
    this.#expect(READY_MS);
  }

  #say(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** Something must be heard within `ms`, or the line is dead, whatever the browser thinks. */
  #expect(ms) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(1006), ms);
  }

  #probe(ms) {
    this.#say({ op: "ping" });
    this.#expect(ms);
  }

  /** Let go of the socket without waiting for its close, which takes long on a dead line. */
  #drop() {
    const socket = this.#socket;
    this.#turn++;
    this.#socket = null;
    this.#live = false;
    for (const timer of [this.#again, this.#deadline, this.#ack.timer, this.#watched.timer]) clearTimeout(timer);
    clearInterval(this.#pulse);
    this.#ack.timer = this.#watched.timer = 0;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket && socket.readyState < 2) socket.close(1000);
  }

  #lost(code) {
    if (this.#live && Date.now() - this.#since >= LIVED_MS) this.#failures = 0;
    this.#drop();
    const { name, reconnect, afterMs } = afterClose(code);
    if (reconnect === "new_ticket") this.#token = null;
    if (reconnect === "no") {
      const error = new TocsinError("closed", `the server closed the socket: ${name} (${code})`, { code });
      this.#emit("problem", { error, during: "live" });
    }
    this.#later(reconnect, name, code, afterMs);
  }

  #later(reconnect, reason, code, afterMs) {
    const delay = reconnectDelay(reconnect, this.#failures++);
    if (delay === null) return this.#stop(reason, code);
    const wait = delay + afterMs;
    this.#notBefore = afterMs ? Date.now() + wait : 0;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#open(), wait);
    this.#become(offline() ? "offline" : "waiting", { reason, code, retryAt: Date.now() + wait });
  }

  #stop(reason, code) {
    this.#drop();
    this.#become("stopped", { reason, code });
  }

  /** The network is back, or the person is: do not let them wait, unless the server asked us to. */
  #hurry = () => {
    if (this.#socket) return this.#live && this.#probe(PROBE_MS);
    if (this.#state === "connecting") this.#failures = 0; // should this try fail, the next is soon
    if (this.#state !== "waiting" && this.#state !== "offline") return;
    const wait = this.#notBefore - Date.now();
    if (wait <= 0) return this.#open();
    this.#become("waiting", { reason: "asked_to_wait", retryAt: this.#notBefore });
  };

  #shown = () => {
    if (globalThis.document.visibilityState === "visible") this.#hurry();
  };

  /** The browser says that it is offline. It may be wrong: ask over the socket. */
  #doubt = () => {
    if (this.#live) this.#probe(PROBE_MS);
    else if (this.#state === "waiting") this.#become("offline", { reason: "offline" });
  };

  // frames

  #frame(frame) {
    const hear = this.#hears[frame.op];
    if (hear) hear(frame);
  }

  #hears = {
    ready: (frame) => this.#ready(frame),
    notification: (frame) => this.#notified(frame),
    read: ({ ids, unread }) => this.#marked("read", ids, unread),
    unread: ({ ids, unread }) => this.#marked("unread", ids, unread),
    deleted: ({ ids, unread }) => this.#marked("deleted", ids, unread),
    stock: ({ sku, available }) => this.#emit("stock", { sku, available }),
    error: ({ field, reason }) => {
      const error = new TocsinError("frame", field ? `${field}: ${reason}` : reason);
      this.#emit("problem", { error, during: "live" });
    },
  };

  #ready({ epoch, offset, unread, recovered }) {
    const reason = recovered ? "resumed" : this.#position ? "gap" : "first";
    this.#hearCount(unread);
    if (!recovered) this.#position = { epoch, offset };
    if (!recovered) this.#ack.offset = 0;
    if (!this.#live) this.#enter();
    this.#acknowledgeSoon(this.#ack.offset); // the last one may have been lost with the line
    this.#emit("reset", { reason, offset });
  }

  #enter() {
    this.#live = true;
    this.#since = Date.now();
    this.#notBefore = 0;
    clearInterval(this.#pulse);
    this.#pulse = setInterval(() => this.#probe(PONG_MS), PING_MS);
    this.#become("live");
    if (this.#watched.skus.length) this.#sayWatch();
  }

  #notified({ op, offset, unread, read, ...notification }) {
    const id = notification.notification_id;
    if (this.#position && offset > this.#position.offset) this.#position.offset = offset;
    if (unread !== undefined) this.#hearCount(unread);
    this.#acknowledgeSoon(offset);
    if (this.#told.has(id)) return;
    this.#told.add(id);
    const { types } = this.#options;
    if (types.length && !types.includes(notification.type)) return;
    const item = { offset, unread: !read, notification };
    this.#emit("notification", { item, notification, known: this.#listed.has(id) });
  }

  #marked(op, ids, unread) {
    this.#hearCount(unread);
    this.#emit(op, { ids });
  }

  #hearCount(unread) {
    this.#unread = unread;
    this.#counts += 1;
  }

  /** At most four a second, each for all that came before. */
  #acknowledgeSoon(offset) {
    if (!offset) return;
    this.#ack.offset = offset;
    if (!this.#ack.timer) this.#ack.timer = setTimeout(() => this.#acknowledge(), ACK_MS);
  }

  #acknowledge() {
    clearTimeout(this.#ack.timer);
    if (this.#ack.timer) this.#say({ op: "ack", offset: this.#ack.offset });
    this.#ack.timer = 0;
  }

  #sayWatch() {
    clearTimeout(this.#watched.timer);
    this.#watched.timer = 0;
    if (this.#live) this.#say({ op: "watch", skus: this.#watched.skus });
  }

  #become(state, more = {}) {
    this.#state = state;
    this.#emit("state", { state, ...more });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail: { unread: this.#unread, ...detail } }));
  }
}

function offline() {
  return globalThis.navigator?.onLine === false;
}

/** A page that says 200 and is none of ours: a hotel's log-in, a proxy. */
function garbled(error) {
  throw new TocsinError("unavailable", `not an answer of Tocsin: ${error.message}`, { again: true });
}

// ---- 3 words ----------------------------------------------------------------------------------

/** Built-in texts by language. `{n}` is a number; a text that depends on it has a form per plural category. */
export const MESSAGES = {
  en: {
    title: "Notifications",
    unreadCount: { one: "{n} unread", other: "{n} unread" },
    noneUnread: "nothing unread",
    all: "All",
    unread: "Unread",
    markAll: "Mark all as read",
    markRead: "Mark as read",
    markUnread: "Mark as unread",
    remove: "Delete",
    close: "Close",
    dismiss: "Dismiss",
    empty: "You’re all caught up",
    emptyHint: "News about your orders and wishes shows up here.",
    emptyUnread: "Nothing unread",
    loading: "Loading…",
    failed: "Your notifications could not be loaded",
    failedMore: "Older ones could not be loaded",
    retry: "Try again",
    offline: "You’re offline. What you see may be out of date.",
    waiting: "Connection lost. Reconnecting…",
    stopped: "Live updates have stopped.",
    signIn: "Please sign in to see your notifications.",
    tooMany: "Open in too many places at once.",
    notSaved: "That could not be saved",
    soldOut: "Sold out again",
    expired: "Expired",
    arrived: "New notification",
    several: { one: "{n} more notification", other: "{n} more notifications" },
  },
  de: {
    title: "Mitteilungen",
    unreadCount: { one: "{n} ungelesen", other: "{n} ungelesen" },
    noneUnread: "nichts ungelesen",
    all: "Alle",
    unread: "Ungelesen",
    markAll: "Alle als gelesen markieren",
    markRead: "Als gelesen markieren",
    markUnread: "Als ungelesen markieren",
    remove: "Löschen",
    close: "Schließen",
    dismiss: "Ausblenden",
    empty: "Sie sind auf dem neuesten Stand",
    emptyHint: "Neues zu Ihren Bestellungen und Wünschen erscheint hier.",
    emptyUnread: "Nichts ungelesen",
    loading: "Wird geladen…",
    failed: "Ihre Mitteilungen konnten nicht geladen werden",
    failedMore: "Ältere konnten nicht geladen werden",
    retry: "Erneut versuchen",
    offline: "Sie sind offline. Die Anzeige kann veraltet sein.",
    waiting: "Verbindung unterbrochen. Neuer Versuch…",
    stopped: "Keine Live-Aktualisierung mehr.",
    signIn: "Bitte melden Sie sich an, um Ihre Mitteilungen zu sehen.",
    tooMany: "An zu vielen Stellen zugleich geöffnet.",
    notSaved: "Das konnte nicht gespeichert werden",
    soldOut: "Wieder ausverkauft",
    expired: "Abgelaufen",
    arrived: "Neue Mitteilung",
    several: { one: "{n} weitere Mitteilung", other: "{n} weitere Mitteilungen" },
  },
  fr: {
    title: "Notifications",
    unreadCount: { one: "{n} non lue", other: "{n} non lues" },
    noneUnread: "aucune non lue",
    all: "Toutes",
    unread: "Non lues",
    markAll: "Tout marquer comme lu",
    markRead: "Marquer comme lue",
    markUnread: "Marquer comme non lue",
    remove: "Supprimer",
    close: "Fermer",
    dismiss: "Masquer",
    empty: "Vous êtes à jour",
    emptyHint: "Les nouvelles de vos commandes et de vos envies apparaissent ici.",
    emptyUnread: "Aucune notification non lue",
    loading: "Chargement…",
    failed: "Impossible de charger vos notifications",
    failedMore: "Impossible de charger les plus anciennes",
    retry: "Réessayer",
    offline: "Vous êtes hors ligne. L’affichage peut être ancien.",
    waiting: "Connexion perdue. Nouvelle tentative…",
    stopped: "Les mises à jour en direct sont arrêtées.",
    signIn: "Connectez-vous pour voir vos notifications.",
    tooMany: "Ouvert à trop d’endroits à la fois.",
    notSaved: "L’enregistrement a échoué",
    soldOut: "De nouveau épuisé",
    expired: "Expirée",
    arrived: "Nouvelle notification",
    several: { one: "{n} autre notification", other: "{n} autres notifications" },
  },
  es: {
    title: "Notificaciones",
    unreadCount: { one: "{n} sin leer", other: "{n} sin leer" },
    noneUnread: "nada sin leer",
    all: "Todas",
    unread: "Sin leer",
    markAll: "Marcar todo como leído",
    markRead: "Marcar como leída",
    markUnread: "Marcar como no leída",
    remove: "Eliminar",
    close: "Cerrar",
    dismiss: "Descartar",
    empty: "Está todo al día",
    emptyHint: "Las novedades de sus pedidos y deseos aparecen aquí.",
    emptyUnread: "Nada sin leer",
    loading: "Cargando…",
    failed: "No se han podido cargar sus notificaciones",
    failedMore: "No se han podido cargar las anteriores",
    retry: "Reintentar",
    offline: "Sin conexión. Lo que ve puede no estar al día.",
    waiting: "Conexión perdida. Reconectando…",
    stopped: "Se han detenido las actualizaciones en directo.",
    signIn: "Inicie sesión para ver sus notificaciones.",
    tooMany: "Abierto en demasiados sitios a la vez.",
    notSaved: "No se ha podido guardar",
    soldOut: "Agotado de nuevo",
    expired: "Caducada",
    arrived: "Nueva notificación",
    several: { one: "{n} notificación más", other: "{n} notificaciones más" },
  },
  ar: {
    title: "الإشعارات",
    unreadCount: {
      zero: "لا إشعارات غير مقروءة",
      one: "إشعار واحد غير مقروء",
      two: "إشعاران غير مقروءين",
      few: "{n} إشعارات غير مقروءة",
      many: "{n} إشعارًا غير مقروء",
      other: "{n} إشعار غير مقروء",
    },
    noneUnread: "لا إشعارات غير مقروءة",
    all: "الكل",
    unread: "غير المقروءة",
    markAll: "تعليم الكل كمقروء",
    markRead: "تعليم كمقروء",
    markUnread: "تعليم كغير مقروء",
    remove: "حذف",
    close: "إغلاق",
    dismiss: "إخفاء",
    empty: "لا جديد لديك",
    emptyHint: "ستظهر هنا أخبار طلباتك ورغباتك.",
    emptyUnread: "لا شيء غير مقروء",
    loading: "جارٍ التحميل…",
    failed: "تعذّر تحميل إشعاراتك",
    failedMore: "تعذّر تحميل الأقدم",
    retry: "إعادة المحاولة",
    offline: "أنت غير متصل. قد يكون المعروض قديمًا.",
    waiting: "انقطع الاتصال. جارٍ إعادة الاتصال…",
    stopped: "توقفت التحديثات المباشرة.",
    signIn: "سجّل الدخول لرؤية إشعاراتك.",
    tooMany: "مفتوح في أماكن كثيرة في آن واحد.",
    notSaved: "تعذّر الحفظ",
    soldOut: "نفد مجددًا",
    expired: "منتهي الصلاحية",
    arrived: "إشعار جديد",
    several: {
      zero: "لا إشعارات أخرى",
      one: "إشعار آخر",
      two: "إشعاران آخران",
      few: "{n} إشعارات أخرى",
      many: "{n} إشعارًا آخر",
      other: "{n} إشعار آخر",
    },
  },
};

const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);

/** The texts of a locale ("de-AT": German), English where it has none, with `own` over them. */
export function messagesFor(locale, own = {}) {
  return { ...MESSAGES.en, ...MESSAGES[language(locale)], ...own };
}

/** A text with its number, in the plural form of the locale. */
export function counted(text, n, locale) {
  const form = typeof text === "string" ? text : (text[new Intl.PluralRules(locale).select(n)] ?? text.other);
  return form.replace("{n}", new Intl.NumberFormat(locale).format(n));
}

/** "rtl" or "ltr". */
export function directionOf(locale) {
  return RIGHT_TO_LEFT.has(language(locale)) ? "rtl" : "ltr";
}

function language(locale) {
  return locale.toLowerCase().split(/[-_]/)[0];
}

/** A locale Intl understands; English for what it does not. */
function usable(locale) {
  try {
    return Intl.getCanonicalLocales(locale.replaceAll("_", "-"))[0] ?? "en";
  } catch {
    return "en";
  }
}

// ---- 4 looks ----------------------------------------------------------------------------------

const STYLE = `
:host {
  --_accent: var(--tocsin-accent, light-dark(#c8401a, #ff8159));
  --_on-accent: var(--tocsin-on-accent, light-dark(#fff, #1c1613));
  --_bg: var(--tocsin-bg, light-dark(#fff, #1c1e24));
  --_raised: var(--tocsin-raised, light-dark(#f5f3ef, #272a32));
  --_ink: var(--tocsin-ink, light-dark(#1d1b18, #eeece8));
  --_muted: var(--tocsin-muted, light-dark(#6a655c, #a3a098));
  --_line: var(--tocsin-line, light-dark(#ebe7df, #2f323b));
  --_hover: var(--tocsin-hover, light-dark(#f8f6f2, #24262e));
  --_unread: var(--tocsin-unread, color-mix(in srgb, var(--_accent) 6%, var(--_bg)));
  --_badge: var(--tocsin-badge, light-dark(#d3361a, #ff6b45));
  --_on-badge: var(--tocsin-on-badge, light-dark(#fff, #1c1613));
  --_danger: var(--tocsin-danger, light-dark(#b3261e, #ff8a80));
  --_warning: var(--tocsin-warning, light-dark(#8a5200, #f5b94f));
  --_good: var(--tocsin-good, light-dark(#14713f, #5fd491));
  --_radius: var(--tocsin-radius, 18px);
  --_shadow: var(--tocsin-shadow,
    0 0 0 1px light-dark(rgb(40 30 15 / 7%), rgb(255 255 255 / 8%)),
    0 2px 6px rgb(20 15 8 / 6%), 0 18px 48px -8px light-dark(rgb(40 30 15 / 22%), rgb(0 0 0 / 60%)));
  --_ease: cubic-bezier(.2, .9, .3, 1);
  color-scheme: light dark;
  display: inline-block;
  vertical-align: middle;
}
:host([theme=light]) { color-scheme: light; }
:host([theme=dark]) { color-scheme: dark; }
:host([hidden]) { display: none; }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.root {
  font: 400 15px/1.45 var(--tocsin-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif);
  letter-spacing: normal; word-spacing: normal; text-transform: none; text-align: start; text-indent: 0;
  white-space: normal; -webkit-font-smoothing: antialiased; font-variant-numeric: tabular-nums;
}
button { font: inherit; letter-spacing: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0; cursor: pointer; text-align: inherit; -webkit-tap-highlight-color: transparent; }
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
svg { display: block; width: 1em; height: 1em; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; flex: none; }
.sr { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.bell { position: relative; display: grid; place-items: center; width: var(--tocsin-size, 42px); height: var(--tocsin-size, 42px); border-radius: 50%; transition: background .15s; }
.bell:hover, .bell[aria-expanded=true] { background: color-mix(in srgb, currentColor 9%, transparent); }
.bell svg { font-size: calc(var(--tocsin-size, 42px) * .55); transform-origin: 50% 10%; }
.bell.rings svg { animation: ring .9s var(--_ease); }
@keyframes ring { 15% { transform: rotate(14deg); } 35% { transform: rotate(-11deg); } 55% { transform: rotate(7deg); } 75% { transform: rotate(-4deg); } }
.badge {
  position: absolute; inset-block-start: 1px; inset-inline-start: 54%; min-width: 19px; height: 19px; padding: 0 5px; border-radius: 10px;
  display: grid; place-items: center; font-size: 11px; font-weight: 700; line-height: 1; color: var(--_on-badge); background: var(--_badge);
  box-shadow: 0 0 0 2px var(--tocsin-badge-ring, Canvas); animation: pop .25s var(--_ease);
}
@keyframes pop { from { transform: scale(.4); opacity: 0; } }
.bell[data-off] svg { opacity: .55; }

.layer { position: fixed; inset: 0; width: auto; height: auto; max-width: none; max-height: none; margin: 0; padding: 0; border: 0; background: none; overflow: visible; pointer-events: none; z-index: var(--tocsin-z, 2147483000); color: var(--_ink); }
.layer:not([data-open]) { display: none; }
.panel {
  position: absolute; left: var(--_left, 8px); top: var(--_top, 8px); bottom: var(--_bottom, auto); width: min(var(--tocsin-width, 408px), calc(100vw - 16px));
  max-height: min(var(--tocsin-height, 640px), var(--_room, 82dvh)); display: flex; flex-direction: column; overflow: hidden; pointer-events: auto;
  background: var(--_bg); border-radius: var(--_radius); box-shadow: var(--_shadow); outline: none; animation: open .2s var(--_ease);
}
@keyframes open { from { opacity: 0; transform: translateY(-6px) scale(.985); } }
.scrim { display: none; }

.head { display: flex; align-items: center; gap: 8px; padding: 16px 18px 10px; }
.head h2 { margin: 0; flex: 1; font-size: 18px; font-weight: 680; letter-spacing: -.015em; line-height: 1.3; }
.icon-button { display: grid; place-items: center; width: 34px; height: 34px; border-radius: 10px; color: var(--_muted); font-size: 19px; transition: background .12s, color .12s; flex: none; }
.icon-button:hover { background: var(--_raised); color: var(--_ink); }
.icon-button:disabled { opacity: .4; cursor: default; background: none; }
.mark-all { font-size: 22px; }
.close { display: none; }
.filters { display: flex; gap: 3px; margin: 0 18px 12px; padding: 3px; border-radius: 11px; background: var(--_raised); }
.filters button { flex: 1; padding: 5px 12px; border-radius: 8.5px; font-size: 13.5px; font-weight: 550; color: var(--_muted); text-align: center; transition: color .12s; }
.filters button:hover { color: var(--_ink); }
.filters button[aria-pressed=true] { color: var(--_ink); background: var(--tocsin-filter, light-dark(#fff, #3a3e49)); box-shadow: 0 1px 2px rgb(20 15 8 / 12%); }
.filters .n { color: var(--_accent); font-weight: 650; margin-inline-start: 2px; }
.banner { display: flex; align-items: center; gap: 10px; padding: 9px 18px; font-size: 13px; line-height: 1.35; color: var(--_warning); background: color-mix(in srgb, var(--_warning) 11%, var(--_bg)); animation: fade .3s; }
.banner.late { animation: fade .3s 1.5s backwards; }
.banner.bad { color: var(--_danger); background: color-mix(in srgb, var(--_danger) 9%, var(--_bg)); }
.banner svg { font-size: 17px; }
.banner span { flex: 1; }
.banner button { font-weight: 650; text-decoration: underline; text-underline-offset: 3px; }
@keyframes fade { from { opacity: 0; } }

.scroll { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; border-top: 1px solid var(--_line); scrollbar-width: thin; scrollbar-color: var(--_line) transparent; }
.list { list-style: none; margin: 0; padding: 0; }
.item { position: relative; border-bottom: 1px solid var(--_line); background: var(--_bg); transition: background .15s; }
.item:last-child { border-bottom: 0; }
.item.unread { background: var(--_unread); }
.item:hover, .item:focus-within { background: var(--_hover); }
.item.fresh { animation: arrive 1.6s ease-out; }
@keyframes arrive { from { background: color-mix(in srgb, var(--_accent) 22%, var(--_bg)); } }
.open { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 13px; width: 100%; padding: 14px 18px; color: inherit; text-decoration: none; cursor: pointer; }
.open:focus-visible { outline-offset: -3px; border-radius: 8px; }
.kind { --_tint: var(--_muted); display: grid; place-items: center; width: 38px; height: 38px; border-radius: 12px; font-size: 20px; color: var(--_tint); background: color-mix(in srgb, var(--_tint) 12%, var(--_bg)); }
.kind[data-kind=stock] { --_tint: var(--_good); }
.kind[data-kind=order] { --_tint: light-dark(#1f5fbf, #7fb2ff); }
.kind[data-kind=offer] { --_tint: var(--_accent); }
.kind[data-kind=review] { --_tint: light-dark(#8a5a00, #f2c14e); }
.kind[data-kind=reply] { --_tint: light-dark(#6a45c4, #b79bff); }
.kind[data-kind=safety] { --_tint: var(--_danger); }
.words { display: block; min-width: 0; }
.title { display: block; font-weight: 500; line-height: 1.35; padding-inline-end: 20px; overflow-wrap: anywhere; text-align: start; }
.unread .title { font-weight: 650; }
.body { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; margin-top: 2px; font-size: 13.5px; line-height: 1.42; color: var(--_muted); overflow-wrap: anywhere; text-align: start; }
.wide .body { -webkit-line-clamp: none; }
.meta { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 9px; margin-top: 6px; font-size: 12.5px; line-height: 1.5; color: var(--_muted); }
.tag { padding: 1px 8px; border-radius: 99px; font-weight: 620; font-size: 12px; color: var(--_warning); background: color-mix(in srgb, var(--_warning) 13%, transparent); animation: pop .3s var(--_ease); }
.gone .title, .gone .kind { opacity: .62; }
.gone .title { text-decoration: line-through; text-decoration-thickness: 1px; text-decoration-color: color-mix(in srgb, currentColor 45%, transparent); }
.gone .kind { --_tint: var(--_muted); filter: grayscale(1); }
.dot { position: absolute; inset-block-start: 20px; inset-inline-end: 18px; width: 9px; height: 9px; border-radius: 50%; background: var(--_accent); transition: opacity .12s; }
.item:not(.unread) .dot { display: none; }
.actions { position: absolute; inset-block-end: 8px; inset-inline-end: 10px; display: flex; gap: 1px; padding: 2px; border-radius: 11px; background: var(--_bg); box-shadow: 0 0 0 1px var(--_line), 0 2px 8px rgb(20 15 8 / 8%); opacity: 0; pointer-events: none; transition: opacity .12s; }
.actions .icon-button { width: 30px; height: 30px; border-radius: 9px; font-size: 17px; }
.actions .delete:hover { color: var(--_danger); }
.item:hover .actions, .item:focus-within .actions { opacity: 1; pointer-events: auto; }

.state { display: grid; justify-items: center; gap: 6px; padding: 48px 32px 56px; text-align: center; color: var(--_muted); font-size: 14px; animation: fade .25s; }
.state .big { display: grid; place-items: center; width: 64px; height: 64px; margin-bottom: 8px; border-radius: 50%; font-size: 30px; color: var(--_accent); background: color-mix(in srgb, var(--_accent) 10%, var(--_bg)); }
.state.bad .big { color: var(--_danger); background: color-mix(in srgb, var(--_danger) 10%, var(--_bg)); }
.state strong { font-size: 16px; font-weight: 640; color: var(--_ink); }
.state p { margin: 0; max-width: 30ch; }
.button { padding: 8px 18px; border-radius: 10px; font-size: 14px; font-weight: 620; color: var(--_on-accent); background: var(--_accent); margin-top: 12px; transition: filter .12s; }
.button:hover { filter: brightness(1.08); }
.more { display: flex; justify-content: center; align-items: center; gap: 10px; min-height: 1px; padding: 0 18px; font-size: 13px; color: var(--_muted); }
.more:not(:empty) { padding: 14px 18px; }
.more button { font-weight: 650; color: var(--_accent); }
.bones { padding: 0; margin: 0; list-style: none; }
.bone { display: grid; grid-template-columns: 38px 1fr; gap: 13px; padding: 16px 18px; border-bottom: 1px solid var(--_line); }
.bone i { display: block; border-radius: 7px; background: linear-gradient(100deg, var(--_raised) 35%, color-mix(in srgb, var(--_raised) 45%, var(--_bg)) 50%, var(--_raised) 65%) 0 0 / 300% 100%; animation: shine 1.6s linear infinite; }
.bone i:first-child { width: 38px; height: 38px; border-radius: 12px; grid-row: span 2; }
.bone i:nth-child(2) { height: 13px; width: 62%; }
.bone i:nth-child(3) { height: 11px; width: 88%; }
@keyframes shine { from { background-position: 100% 0; } to { background-position: -50% 0; } }

.toasts { position: absolute; inset-block-end: var(--tocsin-toast-inset, 20px); inset-inline-end: var(--tocsin-toast-inset, 20px); width: min(var(--tocsin-toast-width, 372px), calc(100vw - 24px)); display: flex; flex-direction: column-reverse; gap: 10px; }
:host([toasts=top]) .toasts { inset-block: var(--tocsin-toast-inset, 20px) auto; flex-direction: column; }
.toast { position: relative; pointer-events: auto; background: var(--_bg); border-radius: min(var(--_radius), 16px); box-shadow: var(--_shadow); overflow: hidden; animation: rise .32s var(--_ease); }
.toast.leaves { opacity: 0; transform: translateX(12px); transition: opacity .18s, transform .18s; }
[dir=rtl] .toast.leaves { transform: translateX(-12px); }
@keyframes rise { from { opacity: 0; transform: translateY(14px) scale(.97); } }
.toast .open { padding: 14px 16px; padding-inline-end: 46px; }
.toast .title { font-weight: 640; padding: 0; }
.toast .body { -webkit-line-clamp: 2; }
.toast.critical::before { content: ""; position: absolute; inset-block: 0; inset-inline-start: 0; width: 4px; background: var(--_danger); }
.toast > .icon-button { position: absolute; inset-block-start: 9px; inset-inline-end: 9px; width: 30px; height: 30px; font-size: 17px; }
.several { display: block; width: 100%; padding: 11px 16px; font-size: 13.5px; font-weight: 620; color: var(--_accent); text-align: center; }

@media (hover: none) {
  .actions { opacity: 1; pointer-events: auto; background: none; box-shadow: none; padding: 0; inset-block-end: 9px; gap: 4px; }
  .actions .icon-button { width: 38px; height: 34px; }
  .item .meta { min-height: 26px; padding-inline-end: 84px; }
}
@media (max-width: 479.98px) {
  .scrim { display: block; position: absolute; inset: 0; background: rgb(15 12 8 / 45%); pointer-events: auto; animation: fade .2s; }
  .panel { inset: auto 0 0; width: auto; height: auto; min-height: min(60dvh, 460px); max-height: 88dvh; border-radius: 22px 22px 0 0; padding-bottom: env(safe-area-inset-bottom); animation: sheet .28s var(--_ease); }
  .panel::before { content: ""; width: 38px; height: 4px; margin: 9px auto -5px; border-radius: 2px; background: var(--_line); flex: none; }
  @keyframes sheet { from { transform: translateY(30%); opacity: .3; } }
  .close { display: grid; }
  .toasts { inset-inline: 12px; inset-block-end: max(12px, env(safe-area-inset-bottom)); width: auto; }
}
@media (prefers-reduced-motion: reduce) { *, ::before, ::after { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .panel, .toast, .badge { border: 1px solid; } .dot { background: Highlight; forced-color-adjust: none; } }
`;

const ICONS = {
  bell: "M12 3a6 6 0 0 0-6 6v3.6L4.2 16a.7.7 0 0 0 .6 1h14.4a.7.7 0 0 0 .6-1L18 12.6V9a6 6 0 0 0-6-6Zm-2.2 17a2.4 2.4 0 0 0 4.4 0",
  stock: "M12 3 4 7v10l8 4 8-4V7l-8-4ZM4 7l8 4 8-4M12 11v10M8 5l8 4",
  order: "M5 8h14l-1 12H6L5 8Zm4 0V7a3 3 0 0 1 6 0v1M9.5 14l1.8 1.8 3.3-3.6",
  offer: "M12.5 3.5H20V11l-8.7 8.7a1.5 1.5 0 0 1-2.1 0l-5.4-5.4a1.5 1.5 0 0 1 0-2.1l8.7-8.7ZM16.2 7.8h.01",
  letter: "M4 6h16v12H4V6Zm0 .7 8 6 8-6",
  review: "m12 4 2.4 5 5.4.7-4 3.8 1 5.5L12 16.3 7.2 19l1-5.5-4-3.8 5.4-.7L12 4Z",
  reply: "M4 5h16v11h-8.5L7 19.5V16H4V5Zm4 4.2h8M8 12.2h5",
  safety: "M12 3.5 5 6v5.5c0 4.3 2.8 7.4 7 9 4.2-1.6 7-4.7 7-9V6l-7-2.5ZM12 8.5v4M12 15.5h.01",
  checks: "m3 12.5 4 4 8-9M11.5 15.5l1 1 8-9",
  check: "m5 12.5 4.5 4.5L19 7.5",
  mark: "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12Z",
  bin: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.3 10.5l.3 6M13.7 10.5l-.3 6",
  cross: "m6.5 6.5 11 11m0-11-11 11",
  cloud: "M7 18a4 4 0 0 1-.5-7.97A5.5 5.5 0 0 1 17 9.5a4.3 4.3 0 0 1 2.5 7.7M4 4l16 16",
  alert: "M12 4 2.8 19.5h18.4L12 4Zm0 6v4.5M12 17h.01",
};

const KINDS = {
  BACK_IN_STOCK: "stock",
  ORDER_CONFIRMATION: "order",
  ORDER_UPDATE: "order",
  SALE_OFFER: "offer",
  NEWSLETTER: "letter",
  REVIEW: "review",
  COMPLAINT_RESPONSE: "reply",
  NEW_COMPLAINT: "reply",
  OTP: "safety",
};

function kindOf({ type, category, priority }) {
  if (category === "security" || priority === "critical") return "safety";
  return KINDS[type] ?? "bell";
}

const SVG = "http://www.w3.org/2000/svg";

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** An element: attributes (true: present, false or null: absent), children that are nodes or text. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) put(made, key, value);
  made.append(...children);
  return made;
}

function put(element, name, value) {
  if (value === false || value == null) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Text is only ever put in as text: whatever a notification says, it stays words. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- 5 element --------------------------------------------------------------------------------

const PAGE = 20;
const MOST_SHOWN = 100;
const TICK_MS = 30_000;
const NOTICE_MS = 6_000;
const ANNOUNCE_MS = 400;
const RECOUNT_MS = 300;
const TOASTS = 3;
const SHEET = "(max-width: 479.98px)";

/** Ask for a link that the page itself has followed: it leads nowhere, and is counted. */
function count(link) {
  if (link) fetch(link, { redirect: "manual", keepalive: true, credentials: "omit", cache: "no-store" }).catch(() => {});
}

const idOf = (item) => item.notification.notification_id;

/** One notification as it is drawn, in the list and as a toast. `context` is what TocsinInbox knows. */
class Face {
  constructor(item, part, onOpen) {
    const { notification } = item;
    const kind = kindOf(notification);
    const url = wayOf(notification, document.baseURI);
    this.item = item;
    this.time = el("time", { part: "time", datetime: notification.at });
    this.tag = el("span", { class: "tag", part: "tag", hidden: true });
    this.seen = el("span", { class: "sr" });
    const [title, body] = notification.title ? [notification.title, notification.body] : [notification.body, ""];
    const words = el("span", { class: "words" }, this.seen, el("span", { class: "title", part: "title", dir: "auto" }, title ?? ""));
    if (body) words.append(el("span", { class: "body", part: "body", dir: "auto" }, body));
    words.append(el("span", { class: "meta" }, this.time, this.tag));
    const face = [el("span", { class: "kind", part: "icon", "data-kind": kind }, icon(kind)), words];
    this.open = url
      ? el("a", { class: "open", part: `${part}-open`, href: url, rel: "noopener noreferrer" }, ...face)
      : el("button", { class: "open", part: `${part}-open`, type: "button" }, ...face);
    this.open.addEventListener("click", (event) => onOpen(this, event));
    this.open.addEventListener("auxclick", (event) => event.button === 1 && onOpen(this, event));
  }

  update(root, item, { locale, text, now, stock }) {
    const { at, sku, expires_at: expires } = item.notification;
    this.item = item;
    say(this.time, relativeTime(at, now, locale));
    this.time.title = full(at, locale);
    say(this.seen, item.unread ? `${text.unread}. ` : "");
    const soldOut = Boolean(sku) && stock.get(sku) <= 0;
    const over = Boolean(expires) && Date.parse(expires) <= now;
    root.classList.toggle("gone", soldOut || over);
    say(this.tag, soldOut ? text.soldOut : over ? text.expired : "");
    this.tag.hidden = !soldOut && !over;
  }
}

function full(at, locale) {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return "";
  return new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" }).format(then);
}

/** A line of the list. `does` has open(face, event), toggle(item), remove(item). */
class Row {
  constructor(item, does) {
    this.face = new Face(item, "item", does.open);
    this.toggle = el("button", { class: "icon-button", part: "item-action", type: "button" });
    this.remove = el("button", { class: "icon-button delete", part: "item-action", type: "button" }, icon("bin"));
    this.toggle.addEventListener("click", () => does.toggle(this.face.item));
    this.remove.addEventListener("click", () => does.remove(this.face.item));
    this.node = el("li", { class: "item", part: "item" },
      this.face.open, el("span", { class: "dot", part: "dot" }), el("span", { class: "actions" }, this.toggle, this.remove));
    this.node.addEventListener("animationend", () => this.node.classList.remove("fresh"));
    this.enter(false);
  }

  /** Whether Tab comes here: one row of the list has that at a time. */
  enter(here) {
    for (const each of [this.face.open, this.toggle, this.remove]) each.tabIndex = here ? 0 : -1;
  }

  update(item, context) {
    const { text } = context;
    this.face.update(this.node, item, context);
    this.node.classList.toggle("unread", item.unread);
    put(this.node, "part", item.unread ? "item item-unread" : "item");
    const action = item.unread ? text.markRead : text.markUnread;
    if (this.toggle.title !== action) this.toggle.replaceChildren(icon(item.unread ? "check" : "mark"));
    label(this.toggle, action);
    label(this.remove, text.remove);
  }
}

function label(button, text) {
  button.title = text;
  button.setAttribute("aria-label", text);
}

/** What floats in: at most three at a time, the rest wait; they stay while looked at, critical ones until dismissed. */
class Toasts {
  #shown = [];
  #waiting = [];
  #dropped = 0;
  #held = false;
  #covered = false;

  /** `does` has open(face, event), context(), showAll(), left(): nothing shown has the focus any more. */
  constructor(does) {
    this.does = does;
    this.stack = el("div", { class: "toasts", part: "toasts", role: "region" });
    this.layer = layer(this.stack);
    this.several = el("button", { class: "several", type: "button" });
    this.bar = el("div", { class: "toast", part: "toast" }, this.several);
    this.several.addEventListener("click", () => does.showAll());
    for (const name of ["pointerenter", "focusin"]) this.stack.addEventListener(name, () => this.#hold(true));
    for (const name of ["pointerleave", "focusout"]) this.stack.addEventListener(name, () => this.#hold(false));
  }

  add(item) {
    if (critical(item)) this.#waiting.unshift(item);
    else if (this.#waiting.filter((each) => !critical(each)).length < TOASTS) this.#waiting.push(item);
    else this.#dropped++;
    this.#fill();
  }

  /** Take away those the person has seen elsewhere. */
  forget(ids) {
    const gone = new Set(ids);
    this.#waiting = this.#waiting.filter((item) => !gone.has(idOf(item)));
    for (const toast of [...this.#shown]) if (gone.has(idOf(toast.face.item))) this.#end(toast);
    this.#fill();
  }

  /** While the panel is open it shows the same; what must be dismissed is here again when it closes. */
  cover(covered) {
    this.#covered = covered;
    if (covered) this.clear(false);
    else this.#fill();
  }

  /** Take away all, or all but the critical ones. */
  clear(all) {
    this.#dropped = 0;
    this.#waiting = all ? [] : this.#waiting.filter(critical);
    for (const toast of [...this.#shown]) if (all || !critical(toast.face.item)) this.#end(toast);
    this.#fill();
  }

  /** Draw anew what depends on time, stock and language. */
  update() {
    const context = this.does.context();
    this.stack.setAttribute("aria-label", context.text.arrived);
    for (const toast of this.#shown) {
      toast.face.update(toast.node, toast.face.item, context);
      label(toast.cross, context.text.dismiss);
    }
    const more = this.#waiting.length + this.#dropped;
    if (more) say(this.several, counted(context.text.several, more, context.locale));
    if (more && !this.bar.isConnected) this.stack.append(this.bar);
    if (!more) this.bar.remove();
  }

  /** Time stands still while the pointer or the focus is here, or nobody looks at the page. */
  #hold(held) {
    this.#held = held;
    for (const toast of this.#shown) this.#run(toast);
  }

  watchPage() {
    for (const toast of this.#shown) this.#run(toast);
  }

  #run(toast) {
    const still = this.#held || document.visibilityState === "hidden" || critical(toast.face.item);
    if (still === (toast.timer === 0)) return;
    if (still) {
      clearTimeout(toast.timer);
      toast.timer = 0;
      toast.left = Math.max(1_500, toast.left - (Date.now() - toast.since));
    } else {
      toast.since = Date.now();
      toast.timer = setTimeout(() => this.#end(toast, true), toast.left);
    }
  }

  #fill() {
    while (this.#shown.length < TOASTS && this.#waiting.length) this.#show(this.#waiting.shift());
    if (!this.#shown.length) this.#dropped = 0;
    this.update();
    float(this.layer, this.#shown.length > 0 && !this.#covered);
  }

  #show(item) {
    const cross = el("button", { class: "icon-button", part: "toast-dismiss", type: "button" }, icon("cross"));
    const face = new Face(item, "toast", (face, event) => {
      this.does.open(face, event);
      this.#end(toast, true);
    });
    const node = el("div", { class: "toast", part: "toast" }, face.open, cross);
    node.classList.toggle("critical", critical(item));
    const { title, body } = item.notification;
    const left = Math.min(12_000, 5_000 + 40 * `${title}${body}`.length); // time to read it
    const toast = { face, node, cross, timer: 0, since: 0, left };
    cross.addEventListener("click", () => this.#end(toast, true));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#end(toast, true);
    });
    this.#shown.push(toast);
    this.bar.before(node);
    if (!node.isConnected) this.stack.append(node);
    this.#run(toast);
  }

  #end(toast, next = false) {
    const index = this.#shown.indexOf(toast);
    if (index < 0) return;
    this.#shown.splice(index, 1);
    clearTimeout(toast.timer);
    if (toast.node.matches(":focus-within")) {
      const neighbour = this.#shown[index] ?? this.#shown[index - 1];
      if (neighbour) neighbour.cross.focus();
      else this.does.left();
    }
    if (toast.node.matches(":hover")) this.#held = false;
    toast.node.classList.add("leaves");
    toast.node.inert = true;
    setTimeout(() => toast.node.remove(), 180);
    if (next) setTimeout(() => this.#fill(), 180);
  }
}

const critical = (item) => item.notification.priority === "critical";

/** Something above everything else on the page, where the browser can. */
function layer(...children) {
  const made = el("div", { class: "layer" }, ...children);
  if ("showPopover" in made) made.popover = "manual";
  return made;
}

function float(element, up) {
  put(element, "data-open", up && element.isConnected);
  // what leaves the page is hidden by the browser, so its own word counts
  if (!element.popover || !element.isConnected || element.matches(":popover-open") === up) return;
  element[up ? "showPopover" : "hidePopover"]();
}

const Base = globalThis.HTMLElement ?? class {};

/**
 * <tocsin-inbox>: the bell, its badge, the panel behind it, and the toasts.
 *
 * Attributes `api`, `token`, `types`, `locale`, `theme`, `toasts`; properties `getToken`, `messages`;
 * events `tocsin-open` (cancelable), `tocsin-unread`, `tocsin-state`. README.md has them all.
 */
export class TocsinInbox extends Base {
  static observedAttributes = ["api", "token", "types", "locale", "lang"];

  #getToken = null;
  #messages = {};
  #client = null;
  #ears = null;
  #planned = false;
  #drawing = false;

  #list = new ItemList();
  #rows = new Map();
  #current = null;
  #stock = new Map();
  #filter = "all";
  #phase = "idle";
  #failure = "";
  #newest = 0;
  #pageUnread = -1;
  #stale = false;
  #load = 0;
  #moreAsked = false;
  #moreFailed = false;
  #fresh = new Set();
  #state = { state: "idle" };
  #unread = 0;
  #counting = 0;
  #notice = { text: "", timer: 0 };
  #spoken = { words: [], timer: 0 };
  #opened = false;
  #tick = 0;
  #root;
  #ui;
  #toasts;
  #sight;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#toasts = new Toasts({
      open: (face, event) => this.#activate(face, event),
      context: () => this.#context(),
      showAll: () => this.show(),
      left: () => this.#ui.bell.focus(),
    });
    this.#ui = this.#build();
    this.#listen();
  }

  /** The client that is connected now, or null. */
  get client() {
    return this.#client;
  }

  /** How many are unread. */
  get unread() {
    return this.#unread;
  }

  /** Whether the panel is open: `show()` and `hide()` change that. */
  get open() {
    return this.#opened;
  }

  /** async () => a token of the person who is logged in; asked for again when one has expired. */
  get getToken() {
    return this.#getToken;
  }

  set getToken(value) {
    this.#getToken = value;
    this.#plan();
  }

  /** Texts of your own, over the built-in ones; see MESSAGES. */
  get messages() {
    return this.#messages;
  }

  set messages(value) {
    this.#messages = value ?? {};
    this.#draw();
  }

  connectedCallback() {
    const sheet = new this.ownerDocument.defaultView.CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
    for (const name of ["getToken", "messages"]) {
      if (!Object.hasOwn(this, name)) continue; // set before this class was here
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    if (!this.#client) this.#plan();
  }

  disconnectedCallback() {
    // moved within the page, it is back in the same turn
    queueMicrotask(() => this.isConnected || this.#leave());
    this.hide();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (name === "locale" || name === "lang") this.#draw();
    else this.#plan();
  }

  /** Open the panel. */
  show() {
    if (this.#opened || !this.isConnected) return;
    this.#opened = true;
    this.#toasts.cover(true);
    put(this.#ui.panel, "aria-modal", matchMedia(SHEET).matches ? "true" : "false");
    this.#ui.bell.setAttribute("aria-expanded", "true");
    this.#place();
    float(this.#ui.layer, true);
    this.#ui.panel.focus({ preventScroll: true });
    document.addEventListener("pointerdown", this.#outside, true);
    document.addEventListener("keydown", this.#escape);
    addEventListener("resize", this.#place);
    addEventListener("scroll", this.#place, { capture: true, passive: true });
    if (this.#client && (this.#stale || this.#phase === "failed")) this.#reload();
    this.#sight?.unobserve(this.#ui.more);
    this.#sight?.observe(this.#ui.more);
    this.#draw();
  }

  /** Close it. With `refocus`, the focus goes back to the bell. */
  hide(refocus = false) {
    if (!this.#opened) return;
    this.#opened = false;
    this.#ui.bell.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", this.#outside, true);
    document.removeEventListener("keydown", this.#escape);
    removeEventListener("resize", this.#place);
    removeEventListener("scroll", this.#place, { capture: true });
    float(this.#ui.layer, false);
    put(this.#ui.layer, "data-open", false);
    this.#toasts.cover(false);
    if (refocus) this.#ui.bell.focus();
    this.#draw();
  }

  // made once

  #build() {
    const iconButton = (kind, name, ...more) => el("button", { class: `icon-button ${kind}`, part: name, type: "button" }, ...more);
    const ui = {
      badge: el("span", { class: "badge", part: "badge", "aria-hidden": "true", hidden: true }),
      title: el("h2", { id: "title", part: "heading" }),
      markAll: iconButton("mark-all", "mark-all", icon("checks")),
      close: iconButton("close", "close", icon("cross")),
      all: el("button", { type: "button", part: "filter" }),
      unread: el("button", { type: "button", part: "filter" }),
      banner: el("div", { class: "banner", part: "banner", hidden: true }),
      list: el("ul", { class: "list", part: "list", role: "list", "aria-labelledby": "title" }),
      blank: el("div", { part: "blank" }),
      more: el("div", { class: "more", part: "more" }),
      polite: el("div", { class: "sr", role: "status", "aria-live": "polite" }),
      urgent: el("div", { class: "sr", role: "alert", "aria-live": "assertive" }),
      scrim: el("div", { class: "scrim", part: "scrim" }),
    };
    ui.bell = el("button", { class: "bell", part: "button", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel" }, icon("bell"), ui.badge);
    ui.filters = el("div", { class: "filters", part: "filters", role: "group" }, ui.all, ui.unread);
    ui.scroll = el("div", { class: "scroll", part: "scroll" }, ui.blank, ui.list, ui.more);
    ui.panel = el("section", { id: "panel", class: "panel", part: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1" },
      el("div", { class: "head", part: "head" }, ui.title, ui.markAll, ui.close), ui.filters, ui.banner, ui.scroll);
    ui.layer = layer(ui.scrim, ui.panel);
    ui.root = el("div", { class: "root", part: "root" }, ui.bell, ui.layer, this.#toasts.layer, ui.polite, ui.urgent);
    this.#root.append(ui.root);
    return ui;
  }

  #listen() {
    const { bell, markAll, close, scrim, all, unread, panel, list } = this.#ui;
    bell.addEventListener("click", () => (this.#opened ? this.hide() : this.show()));
    bell.addEventListener("animationend", (event) => event.animationName === "ring" && bell.classList.remove("rings"));
    markAll.addEventListener("click", () => this.#markAll());
    close.addEventListener("click", () => this.hide(true));
    scrim.addEventListener("click", () => this.hide());
    all.addEventListener("click", () => this.#choose("all"));
    unread.addEventListener("click", () => this.#choose("unread"));
    panel.addEventListener("keydown", (event) => this.#key(event));
    panel.addEventListener("focusout", ({ relatedTarget }) => {
      // Tab walked out of the panel: it closes, and the focus stays where it went
      if (relatedTarget && !this.#root.contains(relatedTarget)) this.hide();
    });
    list.addEventListener("focusin", ({ target }) => this.#enter(this.#rowAt(target)));
  }

  // the client

  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (this.isConnected) this.#restart();
    });
  }

  #restart() {
    this.#leave();
    const token = this.getAttribute("token");
    if (!token && !this.#getToken) return this.#draw();
    const api = this.getAttribute("api") ?? "";
    this.#client = new TocsinClient({ api, token, getToken: this.#getToken ?? undefined, types: this.#types() });
    this.#ears = new AbortController();
    this.#hear(this.#client, this.#ears.signal);
    this.#sight = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && this.#more(), { root: this.#ui.scroll, rootMargin: "240px" });
    this.#tick = setInterval(() => this.#draw(), TICK_MS);
    this.#client.connect();
    this.#reload();
  }

  #leave() {
    this.#client?.close();
    this.#client = null;
    this.#ears?.abort();
    this.#sight?.disconnect();
    clearInterval(this.#tick);
    clearTimeout(this.#counting);
    this.#load++;
    this.#toasts.clear(true);
    this.#list = new ItemList();
    this.#phase = "idle";
    this.#newest = 0;
    this.#stale = this.#moreAsked = this.#moreFailed = false;
    this.#state = { state: "idle" };
    this.#setUnread(0, false);
    this.#draw();
  }

  #hear(client, signal) {
    const on = (name, work) => client.addEventListener(name, ({ detail }) => work(detail), { signal });
    on("state", (detail) => {
      this.#state = detail;
      this.#tell("tocsin-state", detail);
      this.#draw();
    });
    on("notification", (detail) => this.#arrived(detail));
    for (const op of ["read", "unread", "deleted"]) on(op, (detail) => this.#changed(op, detail));
    on("stock", ({ sku, available }) => {
      this.#stock.set(sku, available);
      this.#draw();
    });
    on("reset", (detail) => this.#reset(detail));
    on("problem", (detail) => this.#tell("tocsin-problem", detail));
    document.addEventListener("visibilitychange", () => this.#toasts.watchPage(), { signal });
  }

  #reset({ reason, offset, unread }) {
    this.#count();
    const whole = this.#phase === "ready" && this.#newest === offset && this.#pageUnread === unread;
    if (reason === "first" && whole) return;
    // read or deleted elsewhere meanwhile: it is seen when the panel is opened, and the badge is right
    this.#stale = true;
    if (reason !== "resumed" || this.#opened || this.#phase !== "ready") this.#reload();
  }

  #arrived({ item, notification }) {
    this.#list.change({ op: "add", items: [item] });
    this.#count();
    if (!item.unread) return this.#draw(); // read on another device while this one was away
    this.#fresh.add(notification.notification_id);
    this.#announce([this.#words().arrived, notification.title, notification.body].filter(Boolean).join(". "), critical(item));
    if ((!this.#opened || critical(item)) && this.getAttribute("toasts") !== "off") this.#toasts.add(item);
    this.#ui.bell.classList.add("rings");
    this.#tell("tocsin-notification", { notification });
    if (this.#phase === "failed") this.#reload();
    this.#draw();
  }

  #changed(op, { ids, all }) {
    this.#list.change({ op, ids, all });
    if (op !== "unread") this.#toasts.forget(all ? this.#list.items.map(idOf) : ids);
    // what became unread elsewhere may not be loaded here
    const known = new Set(this.#list.items.map(idOf));
    if (op === "unread" && this.#filter === "unread" && !ids.every((id) => known.has(id))) this.#reload();
    this.#count();
    this.#draw();
  }

  async #reload() {
    const turn = ++this.#load;
    const list = this.#list;
    const journal = list.begin();
    if (this.#phase !== "ready") this.#phase = "loading";
    this.#draw();
    try {
      const page = await this.#client.list({ status: this.#filter, limit: Math.min(MOST_SHOWN, Math.max(PAGE, list.items.length)) });
      if (turn !== this.#load) return list.forget(journal);
      list.reload(journal, page);
      if (this.#filter === "all") this.#newest = page.items[0]?.offset ?? 0;
      this.#pageUnread = page.unread;
      this.#phase = "ready";
      this.#stale = this.#moreAsked = this.#moreFailed = false;
      this.#count();
    } catch (error) {
      list.forget(journal);
      if (turn !== this.#load) return;
      this.#failure = error.kind ?? "";
      if (this.#phase === "loading") this.#phase = "failed";
    }
    this.#draw();
    this.#lookForMore();
  }

  async #more() {
    const { cursor } = this.#list;
    if (cursor === null || this.#moreAsked || this.#moreFailed || this.#phase !== "ready" || !this.#opened) return;
    const turn = this.#load;
    const list = this.#list;
    const journal = list.begin();
    this.#moreAsked = true;
    this.#draw();
    try {
      const page = await this.#client.list({ cursor, status: this.#filter, limit: PAGE });
      if (turn !== this.#load) return list.forget(journal);
      list.more(journal, page);
    } catch {
      list.forget(journal);
      if (turn !== this.#load) return;
      this.#moreFailed = true;
    }
    this.#moreAsked = false;
    this.#draw();
    this.#lookForMore();
  }

  /** The observer speaks when the end of the list comes into sight, not while it stays there. */
  #lookForMore() {
    this.#sight?.unobserve(this.#ui.more);
    this.#sight?.observe(this.#ui.more);
  }

  /** The badge: of these types only, if the page wants some types only; the server counts all. */
  #count() {
    if (!this.#types().length) return this.#setUnread(this.#client.unread);
    clearTimeout(this.#counting);
    const client = this.#client;
    this.#counting = setTimeout(async () => {
      const page = await client.list({ status: "unread", limit: MOST_SHOWN }).catch(() => null);
      if (page && client === this.#client) this.#setUnread(page.items.length);
    }, RECOUNT_MS);
  }

  #setUnread(unread, aloud = true) {
    if (unread === this.#unread) return;
    this.#unread = unread;
    if (aloud) this.#announce("");
    this.#tell("tocsin-unread", { unread });
    this.#draw();
  }

  // what the person does

  #activate(face, event) {
    const { item } = face;
    const { notification } = item;
    if (this.#list.items.find((each) => idOf(each) === idOf(item))?.unread ?? item.unread) this.#do("read", [item]);
    const detail = { notification, url: safeUrl(notification.url, document.baseURI) };
    if (!this.#tell("tocsin-open", detail, true)) {
      event.preventDefault();
      count(safeUrl(notification.link, document.baseURI));
    }
    else if (!detail.url) face.open.classList.toggle("wide");
    else if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey) this.hide();
  }

  /** Shown at once, and taken back if it cannot be kept. */
  async #do(op, items) {
    const client = this.#client;
    if (!client) return;
    const ids = items.map(idOf);
    const before = this.#list.items.filter((item) => ids.includes(idOf(item)));
    const step = { read: -1, unread: 1, deleted: -1 }[op];
    const counted = before.filter((item) => item.unread === step < 0).length;
    this.#list.change({ op, ids });
    this.#setUnread(Math.max(0, this.#unread + step * counted), false);
    if (op !== "unread") this.#toasts.forget(ids);
    this.#draw();
    try {
      await client[{ read: "markRead", unread: "markUnread", deleted: "remove" }[op]](ids);
    } catch {
      if (client === this.#client) this.#undo(op, before);
    }
  }

  #undo(op, before) {
    if (op === "deleted") this.#list.change({ op: "add", items: before });
    for (const unread of [true, false]) {
      const ids = before.filter((item) => item.unread === unread).map(idOf);
      if (ids.length) this.#list.change({ op: unread ? "unread" : "read", ids });
    }
    this.#count();
    this.#complain();
  }

  async #markAll() {
    const client = this.#client;
    const before = this.#list.items.filter((item) => item.unread);
    const types = this.#types();
    this.#ui.panel.focus({ preventScroll: true });
    if (types.length) return this.#do("read", before); // "all" would be all types
    this.#list.change({ op: "read", all: true });
    this.#toasts.clear(true);
    this.#setUnread(0, false);
    try {
      await client.markRead("all");
    } catch {
      if (client === this.#client) this.#undo("read", before);
    }
  }

  #choose(filter) {
    if (filter === this.#filter || !this.#client) return;
    this.#filter = filter;
    this.#list = new ItemList();
    this.#phase = "loading";
    this.#ui.scroll.scrollTop = 0;
    this.#reload();
  }

  #complain() {
    clearTimeout(this.#notice.timer);
    this.#notice.text = this.#words().notSaved;
    this.#notice.timer = setTimeout(() => {
      this.#notice.text = "";
      this.#draw();
    }, NOTICE_MS);
    this.#announce(this.#notice.text);
    this.#draw();
  }

  #retry() {
    this.#client?.connect();
    this.#reload();
  }

  // keys and focus

  #key(event) {
    if (event.key === "Tab" && matchMedia(SHEET).matches) return this.#trap(event);
    const nodes = this.#shown().map((item) => this.#rows.get(idOf(item)));
    const at = nodes.findIndex((row) => row.node.contains(this.#root.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: nodes.length - 1 }[event.key];
    if (to !== undefined && nodes.length) {
      event.preventDefault();
      nodes[Math.min(to, nodes.length - 1)].face.open.focus();
    } else if (event.key === "Delete" && at >= 0) {
      event.preventDefault();
      this.#do("deleted", [nodes[at].face.item]);
    }
  }

  /** The sheet on a phone covers the page: Tab goes round in it. */
  #trap(event) {
    const stops = [...this.#ui.panel.querySelectorAll("button, a")].filter((each) => each.tabIndex >= 0 && !each.disabled && each.checkVisibility?.() !== false);
    const last = event.shiftKey ? stops[0] : stops.at(-1);
    if (stops.length && (this.#root.activeElement === last || (event.shiftKey && this.#root.activeElement === this.#ui.panel))) {
      event.preventDefault();
      stops.at(event.shiftKey ? -1 : 0).focus();
    }
  }

  #escape = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    this.hide(true);
  };

  #outside = (event) => {
    if (!event.composedPath().includes(this)) this.hide();
  };

  #rowAt(node) {
    return [...this.#rows.values()].find((row) => row.node.contains(node));
  }

  #enter(row) {
    if (!row || row === this.#current) return;
    this.#current?.enter(false);
    this.#current = row;
    row.enter(true);
  }

  #place = () => {
    const bell = this.#ui.bell.getBoundingClientRect();
    const view = { width: document.documentElement.clientWidth, height: innerHeight };
    const { left, up, offset, room } = place(bell, this.#ui.panel.offsetWidth || 408, view, this.#ui.root.dir === "rtl");
    const set = (name, value) => this.#ui.panel.style.setProperty(name, value);
    set("--_left", `${left}px`);
    set("--_top", up ? "auto" : `${offset}px`);
    set("--_bottom", up ? `${offset}px` : "auto");
    set("--_room", `${room}px`);
  };

  // what is seen and heard

  #types() {
    return (this.getAttribute("types") ?? "").split(",").map((type) => type.trim()).filter(Boolean);
  }

  #locale() {
    const near = this.getAttribute("locale") || this.closest("[lang]")?.getAttribute("lang");
    return usable(near || navigator.language || "en");
  }

  #words() {
    return messagesFor(this.#locale(), this.#messages);
  }

  #context() {
    const locale = this.#locale();
    return { locale, text: messagesFor(locale, this.#messages), now: Date.now(), stock: this.#stock };
  }

  #tell(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable }));
  }

  /** For screen readers: what came, and how many are unread now; several things of one moment at once. */
  #announce(words, now = false) {
    if (words && now) return say(this.#ui.urgent, words);
    if (words) this.#spoken.words.push(words);
    clearTimeout(this.#spoken.timer);
    this.#spoken.timer = setTimeout(() => {
      const { text, locale } = this.#context();
      const count = this.#unread ? counted(text.unreadCount, this.#unread, locale) : text.noneUnread;
      say(this.#ui.polite, [...this.#spoken.words.slice(-3), count].join(". "));
      this.#spoken.words = [];
    }, ANNOUNCE_MS);
  }

  #shown() {
    const { items } = this.#list;
    return this.#filter === "unread" ? items.filter((item) => item.unread) : items;
  }

  /** Everything anew, once however often it is asked for in a turn. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      if (this.isConnected) this.#drawNow();
    });
  }

  #drawNow() {
    const context = this.#context();
    const { root } = this.#ui;
    root.lang = context.locale;
    root.dir = this.hasAttribute("locale") ? directionOf(context.locale) : getComputedStyle(this).direction;
    this.#drawBell(context);
    this.#drawHead(context);
    this.#drawBanner(context);
    this.#drawRows(context);
    this.#drawBlank(context);
    this.#drawMore(context);
    this.#toasts.update();
    this.#client?.watch(skusOf(this.#list.items));
  }

  #drawBell({ locale, text }) {
    const { bell, badge } = this.#ui;
    const count = this.#unread ? counted(text.unreadCount, this.#unread, locale) : text.noneUnread;
    label(bell, `${text.title}, ${count}`);
    put(bell, "data-off", ["offline", "stopped"].includes(this.#state.state));
    badge.hidden = this.#unread <= 0;
    say(badge, badgeText(this.#unread, locale));
  }

  #drawHead({ locale, text }) {
    const { title, markAll, close, filters, all, unread } = this.#ui;
    say(title, text.title);
    label(markAll, text.markAll);
    markAll.disabled = this.#unread === 0;
    label(close, text.close);
    filters.setAttribute("aria-label", text.title);
    put(all, "aria-pressed", String(this.#filter === "all"));
    put(unread, "aria-pressed", String(this.#filter === "unread"));
    say(all, text.all);
    const n = badgeText(this.#unread, locale);
    if (unread.dataset.says === text.unread + n) return;
    unread.dataset.says = text.unread + n;
    unread.replaceChildren(text.unread, ...(n ? [" ", el("span", { class: "n" }, n)] : []));
  }

  #drawBanner({ text }) {
    const { banner } = this.#ui;
    const { state, reason } = this.#state;
    const stopped = { unauthorized: text.signIn, forbidden: text.signIn, too_many_sockets: text.tooMany }[reason] ?? text.stopped;
    const words = this.#notice.text || { offline: text.offline, waiting: text.waiting, stopped }[state] || "";
    banner.hidden = !words || (this.#phase === "failed" && !this.#notice.text);
    banner.classList.toggle("bad", Boolean(this.#notice.text) || state === "stopped");
    banner.classList.toggle("late", !this.#notice.text && state === "waiting");
    const says = `${words}|${text.retry}|${state}`;
    if (banner.dataset.says === says) return;
    banner.dataset.says = says;
    banner.replaceChildren(icon(state === "offline" ? "cloud" : "alert"), el("span", {}, words));
    if (!this.#notice.text && state !== "offline") banner.append(this.#button(text.retry, "retry", () => this.#retry()));
  }

  #button(text, part, work, kind = "") {
    const made = el("button", { type: "button", part, class: kind }, text);
    made.addEventListener("click", work);
    return made;
  }

  #drawRows(context) {
    const { list, panel } = this.#ui;
    const shown = this.#shown();
    const wanted = new Set(shown.map(idOf));
    const focused = this.#rowAt(this.#root.activeElement);
    const index = focused ? [...list.children].indexOf(focused.node) : -1;
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.node.remove();
      this.#rows.delete(id);
      if (row === this.#current) this.#current = null;
    }
    let next = list.firstChild;
    for (const item of shown) {
      const row = this.#rows.get(idOf(item)) ?? this.#newRow(item);
      row.update(item, context);
      if (row.node === next) next = next.nextSibling;
      else list.insertBefore(row.node, next);
    }
    this.#fresh.clear();
    list.hidden = shown.length === 0;
    const first = shown.length ? this.#rows.get(idOf(shown[0])) : null;
    if (!this.#current) this.#enter(first);
    if (focused && !focused.node.isConnected) {
      const left = shown[Math.min(index, shown.length - 1)];
      (left ? this.#rows.get(idOf(left)).face.open : panel).focus();
    }
  }

  #newRow(item) {
    const row = new Row(item, {
      open: (face, event) => this.#activate(face, event),
      toggle: (item) => this.#do(item.unread ? "read" : "unread", [item]),
      remove: (item) => this.#do("deleted", [item]),
    });
    if (this.#fresh.has(idOf(item))) row.node.classList.add("fresh");
    this.#rows.set(idOf(item), row);
    return row;
  }

  /** What stands in the list's place when there is none. */
  #drawBlank({ text }) {
    const { blank } = this.#ui;
    const none = this.#shown().length === 0;
    const says = !none ? "" : this.#phase === "ready" ? (this.#list.cursor === null ? this.#filter : "") : this.#phase;
    const key = `${says}|${text.empty}|${text.failed}|${this.#failure}`;
    if (blank.dataset.says === key) return;
    blank.dataset.says = key;
    blank.setAttribute("aria-busy", String(says === "loading"));
    if (!says) blank.replaceChildren();
    else if (says === "idle") blank.replaceChildren(message("safety", text.signIn));
    else if (says === "loading") blank.replaceChildren(el("span", { class: "sr" }, text.loading), bones());
    else if (says === "failed") blank.replaceChildren(this.#failed(text));
    else if (says === "unread") blank.replaceChildren(message("check", text.emptyUnread));
    else blank.replaceChildren(message("bell", text.empty, text.emptyHint));
  }

  #failed(text) {
    const locked = this.#failure === "unauthorized" || this.#failure === "forbidden";
    const made = message(locked ? "safety" : "cloud", locked ? text.signIn : text.failed);
    made.classList.add("bad");
    made.append(this.#button(text.retry, "retry", () => this.#retry(), "button"));
    return made;
  }

  #drawMore({ text }) {
    const { more } = this.#ui;
    const says = this.#moreFailed ? `${text.failedMore}|${text.retry}` : this.#moreAsked ? text.loading : "";
    if (more.dataset.says === says) return;
    more.dataset.says = says;
    if (!this.#moreFailed) return more.replaceChildren(says);
    const again = this.#button(text.retry, "retry", () => {
      this.#moreFailed = false;
      this.#more();
    });
    more.replaceChildren(text.failedMore, again);
  }
}

function message(name, title, hint = "") {
  const made = el("div", { class: "state", part: "empty" }, el("span", { class: "big" }, icon(name)), el("strong", {}, title));
  if (hint) made.append(el("p", {}, hint));
  return made;
}

function bones() {
  const bone = () => el("li", { class: "bone" }, el("i"), el("i"), el("i"));
  return el("ul", { class: "bones", part: "skeleton", "aria-hidden": "true" }, bone(), bone(), bone(), bone());
}

if (globalThis.customElements && !customElements.get("tocsin-inbox")) customElements.define("tocsin-inbox", TocsinInbox);
