// TocsinClient on a network that is made up, with a clock that stands still until it is moved.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { TocsinClient, TocsinError } from "../../../../api/web/tocsin-inbox.js";

const API = "https://api.example";
let sockets, asked, answers, random;

class Socket {
  readyState = 0;
  said = [];
  constructor(url) {
    this.url = url;
    sockets.push(this);
  }
  send(text) {
    this.said.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen({});
  }
  tell(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  end(code) {
    this.readyState = 3;
    this.onclose?.({ code, reason: "" });
  }
  ops(op) {
    return this.said.filter((frame) => frame.op === op);
  }
}

/** What HTTP answers: a function of the path, or the usual ticket. */
async function fetch(url, { method, headers, body }) {
  const path = url.slice(API.length);
  asked.push({ method, path, token: headers.Authorization, body: body && JSON.parse(body) });
  const answer = answers.shift() ?? { status: 200, body: { url: "wss://ws.example/", ticket: `t${asked.length}` } };
  if (answer instanceof Error) throw answer;
  return new Response(answer.text ?? JSON.stringify(answer.body ?? {}), { status: answer.status ?? 200, headers: answer.headers });
}

/** Let promises run; no time passes. */
async function settle() {
  for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settle();
}

beforeEach(() => {
  mock.restoreAll();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  [sockets, asked, answers, random] = [[], [], [], 0.5];
  globalThis.WebSocket = Socket;
  globalThis.fetch = fetch;
  mock.method(Math, "random", () => random);
  mock.method(AbortSignal, "timeout", () => new AbortController().signal);
});

function client(options = {}) {
  const made = new TocsinClient({ api: API, token: "tok", ...options });
  made.heard = [];
  for (const name of ["state", "notification", "read", "unread", "deleted", "stock", "reset", "problem"])
    made.addEventListener(name, ({ detail }) => made.heard.push([name, detail]));
  made.of = (name) => made.heard.filter(([each]) => each === name).map(([, detail]) => detail);
  return made;
}

const push = (offset, more = {}) => ({ op: "notification", offset, notification_id: `n${offset}`, type: "A", title: "", body: "", ...more });

async function live(options, ready = { op: "ready", epoch: "e", offset: 4, unread: 2 }) {
  const made = client(options);
  made.connect();
  await settle();
  sockets[0].open();
  sockets[0].tell(ready);
  return made;
}

async function comesBack(made, ready) {
  await settle();
  const socket = sockets.at(-1);
  socket.open();
  socket.tell(ready);
  return socket;
}

test("it says hello with a ticket, and is live when it is greeted", async () => {
  const made = client();
  assert.equal(made.connect(), made);
  await settle();
  assert.deepEqual(asked, [{ method: "GET", path: "/v1/ws-ticket", token: "Bearer tok", body: undefined }]);
  assert.equal(sockets[0].url, "wss://ws.example/");
  sockets[0].open();
  assert.deepEqual(sockets[0].said, [{ op: "hello", ticket: "t1" }]);
  assert.equal(made.state, "connecting");
  sockets[0].tell({ op: "ready", epoch: "e", offset: 4, unread: 2 });
  assert.equal(made.state, "live");
  assert.deepEqual(made.of("reset"), [{ unread: 2, reason: "first", offset: 4 }]);
  assert.deepEqual(made.position, { epoch: "e", offset: 4 });
});

test("it resumes from the last offset it has, and hears what it missed", async () => {
  const made = await live();
  sockets[0].tell(push(5, { unread: 3 }));
  sockets[0].end(1012);
  assert.equal(made.state, "waiting");
  await pass(1000);
  const socket = await comesBack(made, { op: "ready", epoch: "e", offset: 7, unread: 5, recovered: true });
  assert.deepEqual(socket.said[0].resume, { epoch: "e", offset: 5 });
  socket.tell(push(6));
  socket.tell(push(7));
  assert.deepEqual(made.of("notification").map((d) => d.item.offset), [5, 6, 7]);
  assert.equal(made.of("reset").at(-1).reason, "resumed");
  assert.equal(made.unread, 5);
  assert.deepEqual(made.position, { epoch: "e", offset: 7 });
});

test("a gap moves the position, and says so", async () => {
  const made = await live();
  sockets[0].tell({ op: "ready", epoch: "f", offset: 90, unread: 7, recovered: false });
  assert.deepEqual(made.position, { epoch: "f", offset: 90 });
  assert.deepEqual(made.of("reset").at(-1), { unread: 7, reason: "gap", offset: 90 });
});

test("no notification is told twice", async () => {
  const made = await live();
  sockets[0].tell(push(5));
  sockets[0].tell(push(5));
  sockets[0].tell({ ...push(9), notification_id: "n5" });
  assert.equal(made.of("notification").length, 1);
});

test("what a page had already is told as known", async () => {
  const made = await live();
  answers.push({ body: { items: [{ offset: 5, unread: true, notification: { notification_id: "n5" } }], cursor: null, unread: 9 } });
  const page = await made.list({ status: "unread", types: ["A", "B"], cursor: 12, limit: 7 });
  assert.equal(page.items.length, 1);
  assert.equal(asked.at(-1).path, "/v1/inbox?status=unread&limit=7&type=A%2CB&cursor=12");
  sockets[0].tell(push(5));
  sockets[0].tell(push(6));
  assert.deepEqual(made.of("notification").map((d) => d.known), [true, false]);
});

test("an answer's number counts, unless the socket has told one since it was asked", async () => {
  const made = await live();
  answers.push({ body: { items: [], cursor: null, unread: 9 } });
  await made.list();
  assert.equal(made.unread, 9, "something ended, and nobody was told");
  answers.push({ body: { items: [], cursor: null, unread: 9 } });
  const asking = made.list();
  sockets[0].tell({ op: "read", ids: ["n1"], unread: 3 });
  await asking;
  assert.equal(made.unread, 3);
  answers.push({ body: { unread: 0, read: [] } });
  await made.markRead("all");
  assert.equal(made.unread, 0);
});

test("acknowledgements go together, for the newest", async () => {
  await live();
  for (let offset = 5; offset < 60; offset++) sockets[0].tell(push(offset));
  assert.deepEqual(sockets[0].ops("ack"), []);
  await pass(250);
  assert.deepEqual(sockets[0].ops("ack"), [{ op: "ack", offset: 59 }]);
  await pass(2000);
  assert.equal(sockets[0].ops("ack").length, 1);
});

test("types that are not wanted are acknowledged and not told", async () => {
  const made = await live({ types: ["A"] });
  sockets[0].tell(push(5, { type: "B" }));
  await pass(250);
  assert.equal(made.of("notification").length, 0);
  assert.equal(made.position.offset, 5);
  assert.deepEqual(sockets[0].ops("ack"), [{ op: "ack", offset: 5 }]);
});

test("what other devices do is told", async () => {
  const made = await live();
  sockets[0].tell({ op: "read", ids: ["n1"], unread: 1 });
  sockets[0].tell({ op: "unread", ids: ["n1"], unread: 2 });
  sockets[0].tell({ op: "deleted", ids: ["n2"], unread: 1 });
  sockets[0].tell({ op: "stock", sku: "s", available: 0 });
  sockets[0].tell({ op: "of a later version" });
  assert.deepEqual(made.heard.slice(-4), [
    ["read", { unread: 1, ids: ["n1"] }],
    ["unread", { unread: 2, ids: ["n1"] }],
    ["deleted", { unread: 1, ids: ["n2"] }],
    ["stock", { unread: 1, sku: "s", available: 0 }],
  ]);
});

test("marks go over HTTP, at most two hundred at a time", async () => {
  const made = await live();
  const many = Array.from({ length: 250 }, (_, i) => `n${i}`);
  answers.push({ body: { unread: 1, deleted: [] } }, { body: { unread: 0, deleted: [] } });
  await made.remove(many);
  assert.deepEqual(asked.slice(-2).map(({ path, body }) => [path, body.ids.length]), [["/v1/inbox:delete", 200], ["/v1/inbox:delete", 50]]);
  answers.push({ body: { unread: 0, read: ["n1", "n2"] } });
  await made.markRead("all");
  assert.deepEqual(made.of("read").at(-1).ids, ["n1", "n2"]);
  await made.markRead([]);
  assert.equal(asked.at(-1).path, "/v1/inbox:read-all");
});

test("what is refused is thrown, with its reason", async () => {
  const made = await live();
  answers.push({ status: 422, body: { detail: "ids[0]: too long" } });
  await assert.rejects(made.markUnread(["x"]), (error) => error instanceof TocsinError && error.kind === "invalid" && /too long/.test(error.message));
  assert.deepEqual(made.of("unread"), []);
});

test("watching is said once, and again after every reconnect", async () => {
  const made = await live({ watch: ["a"] });
  assert.deepEqual(sockets[0].ops("watch"), [{ op: "watch", skus: ["a"] }]);
  made.watch(["a"]);
  made.watch(["b", "b"]);
  made.watch(["b", "c"]);
  await pass(200);
  assert.deepEqual(sockets[0].ops("watch").slice(1), [{ op: "watch", skus: ["b", "c"] }]);
  sockets[0].end(1006);
  await pass(1000);
  const socket = await comesBack(made, { op: "ready", epoch: "e", offset: 4, unread: 2, recovered: true });
  assert.deepEqual(socket.ops("watch"), [{ op: "watch", skus: ["b", "c"] }]);
});

test("it asks whether anybody is there, and leaves a dead line", async () => {
  const made = await live();
  await pass(25_000);
  assert.equal(sockets[0].ops("ping").length, 1);
  sockets[0].tell({ op: "pong" });
  await pass(25_000);
  assert.equal(made.state, "live");
  await pass(10_000);
  assert.equal(made.state, "waiting");
  assert.equal(sockets[0].readyState, 3);
});

test("a server that accepts and then says nothing is left", async () => {
  const made = client().connect();
  await settle();
  sockets[0].open();
  await pass(15_000);
  assert.equal(made.state, "waiting");
});

test("codes that mean no stop it, and say why", async () => {
  const made = await live();
  sockets[0].end(4409);
  assert.equal(made.state, "stopped");
  assert.deepEqual(made.of("state").at(-1), { unread: 2, state: "stopped", reason: "too_many_sockets", code: 4409 });
  assert.equal(made.of("problem").at(-1).error.code, 4409);
  await pass(600_000);
  assert.equal(sockets.length, 1);
  made.connect();
  await settle();
  assert.equal(sockets.length, 2, "asked to, it tries again");
});

test("tries are spread ever wider, and counted from zero after a connection that lasted", async () => {
  random = 1;
  const made = client().connect();
  await settle();
  for (const wait of [1000, 2000, 4000, 8000]) {
    sockets.at(-1).end(1006);
    const before = sockets.length;
    await pass(wait - 1);
    assert.equal(sockets.length, before);
    await pass(1);
    assert.equal(sockets.length, before + 1);
  }
  await comesBack(made, { op: "ready", epoch: "e", offset: 1, unread: 0 });
  await pass(10_000);
  sockets.at(-1).end(1006);
  assert.equal(made.of("state").at(-1).retryAt - Date.now(), 1000);
});

test("4429 waits half a minute, and coming back to the page does not shorten it", async () => {
  const made = await live();
  sockets[0].end(4429);
  assert.equal(made.of("state").at(-1).retryAt - Date.now(), 30_500);
  await pass(29_000);
  assert.equal(sockets.length, 1);
  await pass(1_500);
  assert.equal(sockets.length, 2);
});

test("a token that has expired is asked for once more", async () => {
  let n = 0;
  answers.push({ status: 401 });
  const made = client({ token: undefined, getToken: async () => `tok${++n}` }).connect();
  await settle();
  assert.deepEqual(asked.map((each) => each.token), ["Bearer tok1", "Bearer tok2"]);
  await comesBack(made, { op: "ready", epoch: "e", offset: 0, unread: 0 });
  sockets[0].end(4401);
  await pass(1);
  assert.equal(asked.at(-1).token, "Bearer tok3");
});

test("a token that is refused twice stops it", async () => {
  answers.push({ status: 401 }, { status: 401 });
  const made = client({ token: undefined, getToken: () => "bad" }).connect();
  await settle();
  assert.equal(made.state, "stopped");
  assert.equal(made.of("state").at(-1).reason, "unauthorized");
  assert.equal(asked.length, 2);
});

test("two requests at once ask for one token", async () => {
  let n = 0;
  answers.push({ body: { items: [], cursor: null, unread: 0 } }, { body: { items: [], cursor: null, unread: 0 } });
  const made = client({ token: undefined, getToken: async () => `tok${++n}` });
  await Promise.all([made.list(), made.list()]);
  assert.equal(n, 1);
});

test("a getToken that fails is tried again", async () => {
  let n = 0;
  const made = client({ token: undefined, getToken: () => (n++ ? "tok" : Promise.reject(new Error("offline"))) }).connect();
  await settle();
  assert.equal(made.state, "waiting");
  assert.equal(made.of("problem")[0].error.kind, "token");
  await pass(1000);
  assert.equal(sockets.length, 1);
});

test("Retry-After is kept to", async () => {
  answers.push({ status: 503, headers: { "Retry-After": "7" } });
  const made = client().connect();
  await settle();
  assert.equal(made.state, "waiting");
  await pass(7_000);
  assert.equal(asked.length, 1);
  await pass(500);
  assert.equal(asked.length, 2);
});

test("no network, a proxy's error page and a hotel's log-in page are tried again", async () => {
  answers.push(new TypeError("Failed to fetch"), { status: 502 }, { text: "<html>Welcome to our hotel" });
  const made = client().connect();
  await settle();
  for (const ms of [1000, 2000, 4000]) await pass(ms);
  assert.deepEqual(made.of("problem").map((d) => d.error.kind), ["network", "unavailable", "unavailable"]);
  assert.equal(sockets.length, 1);
});

test("an error frame is a problem, and nothing ends", async () => {
  const made = await live();
  sockets[0].tell({ op: "error", field: "skus", reason: "too many" });
  assert.equal(made.of("problem")[0].error.message, "skus: too many");
  assert.equal(made.state, "live");
});

test("closed, it is closed, and what still comes is not heard", async () => {
  const made = await live();
  sockets[0].tell(push(5));
  made.close();
  assert.deepEqual(sockets[0].ops("ack"), [{ op: "ack", offset: 5 }]);
  assert.equal(made.state, "closed");
  sockets[0].tell(push(6));
  await pass(600_000);
  assert.equal(made.of("notification").length, 1);
  assert.equal(sockets.length, 1);
});

test("closed while it waits for its ticket, it opens nothing", async () => {
  const made = client();
  made.connect();
  made.close();
  await settle();
  assert.equal(sockets.length, 0);
});
