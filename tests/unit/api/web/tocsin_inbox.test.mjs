// The pure parts of <tocsin-inbox>. Run by tests/unit/api/test_inbox_element.py, or `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  CLOSE_CODES, ItemList, MESSAGES, afterClose, applied, backoff, badgeText, classify, counted, directionOf, merge,
  messagesFor, place, reconnectDelay, relativeTime, retryAfter, safeUrl, skusOf, wayOf,
} from "../../../../api/web/tocsin-inbox.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const item = (offset, more = {}) => ({ offset, unread: true, notification: { notification_id: `n${offset}`, ...more } });
const ids = (items) => items.map((each) => each.notification.notification_id);
const ago = (seconds, locale = "en") => relativeTime(new Date(NOW - seconds * 1000).toISOString(), NOW, locale);

test("waiting doubles from one second to thirty, and is anything up to that", () => {
  const most = (failures) => backoff(failures, () => 1);
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map(most), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  assert.equal(backoff(5, () => 0), 0);
  assert.equal(backoff(2, () => 0.5), 2000);
  for (let i = 0; i < 100; i++) assert.ok(backoff(i) >= 0 && backoff(i) <= 30000);
});

test("each way of reconnecting has its delay", () => {
  assert.equal(reconnectDelay("no", 0), null);
  assert.equal(reconnectDelay("now", 0, () => 1), 2000);
  assert.equal(reconnectDelay("new_ticket", 0, () => 1), 0);
  assert.equal(reconnectDelay("backoff", 3, () => 1), 8000);
});

test("what should work at once and keeps failing backs off, too", () => {
  assert.equal(reconnectDelay("now", 6, () => 1), 30000);
  assert.equal(reconnectDelay("new_ticket", 4, () => 1), 16000);
});

test("a close code decides", () => {
  assert.equal(afterClose(1012).reconnect, "now");
  assert.equal(afterClose(4401).reconnect, "new_ticket");
  assert.equal(afterClose(4409).reconnect, "no");
  assert.deepEqual(afterClose(4429), { name: "rate", reconnect: "backoff", afterMs: 30000 });
  for (const unknown of [1001, 1005, 1006, 1015, 4999]) assert.equal(afterClose(unknown).reconnect, "backoff");
  assert.ok(Object.isFrozen(CLOSE_CODES));
});

test("Retry-After is seconds or a date, and bounded", () => {
  assert.equal(retryAfter("3", NOW), 3000);
  assert.equal(retryAfter("Tue, 24 Nov 2026 12:00:05 GMT", NOW), 5000);
  assert.equal(retryAfter("Tue, 24 Nov 2026 11:00:00 GMT", NOW), 0);
  assert.equal(retryAfter("86400", NOW), 600000);
  for (const none of [null, "", "soon"]) assert.equal(retryAfter(none, NOW), 0);
});

test("a status is classified", () => {
  assert.deepEqual(classify(401), { kind: "unauthorized", again: false });
  assert.deepEqual(classify(403), { kind: "forbidden", again: false });
  assert.deepEqual(classify(422), { kind: "invalid", again: false });
  for (const status of [429, 500, 502, 503]) assert.equal(classify(status).again, true);
});

test("pages and pushes make one list, newest first, each id once, what is here wins", () => {
  const here = [item(5), { ...item(4), unread: false }];
  const merged = merge(here, [item(4), item(3), item(6)]);
  assert.deepEqual(ids(merged), ["n6", "n5", "n4", "n3"]);
  assert.equal(merged[2].unread, false);
  const twice = merge([item(7)], [{ ...item(9), notification: { notification_id: "n7" } }]);
  assert.equal(twice.length, 1);
});

test("changes are applied, and nothing changes for nothing", () => {
  const items = [item(3), item(2), item(1)];
  assert.deepEqual(applied(items, { op: "read", ids: ["n2"] }).map((i) => i.unread), [true, false, true]);
  assert.deepEqual(applied(items, { op: "read", all: true }).map((i) => i.unread), [false, false, false]);
  assert.deepEqual(ids(applied(items, { op: "deleted", ids: ["n3", "n9"] })), ["n2", "n1"]);
  assert.deepEqual(ids(applied(items, { op: "add", items: [item(4)] })), ["n4", "n3", "n2", "n1"]);
  assert.equal(applied(items, { op: "unread", ids: ["n1"] }), items);
  assert.equal(applied(items, { op: "deleted", ids: ["n9"] }), items);
});

test("a page that was on its way undoes nothing that happened meanwhile", () => {
  const list = new ItemList();
  const journal = list.begin();
  list.change({ op: "add", items: [item(4)] });
  list.change({ op: "read", ids: ["n2"] });
  list.change({ op: "deleted", ids: ["n3"] });
  list.reload(journal, { items: [item(3), item(2), item(1)], cursor: 1 });
  assert.deepEqual(ids(list.items), ["n4", "n2", "n1"]);
  assert.deepEqual(list.items.map((i) => i.unread), [true, false, true]);
  assert.equal(list.cursor, 1);
});

test("older pages are put behind, and a reload starts anew", () => {
  const list = new ItemList();
  list.reload(list.begin(), { items: [item(9), item(8)], cursor: 8 });
  list.more(list.begin(), { items: [item(8), item(7)], cursor: null });
  assert.deepEqual(ids(list.items), ["n9", "n8", "n7"]);
  assert.equal(list.cursor, null);
  list.reload(list.begin(), { items: [item(2)], cursor: null });
  assert.deepEqual(ids(list.items), ["n2"]);
});

test("a page that never came leaves nothing behind", () => {
  const list = new ItemList();
  const journal = list.begin();
  list.forget(journal);
  list.change({ op: "add", items: [item(1)] });
  assert.deepEqual(journal, []);
});

test("the newest hundred SKUs are watched, each once", () => {
  const many = Array.from({ length: 150 }, (_, i) => item(i, { sku: `s${i % 120}` }));
  assert.equal(skusOf(many).length, 100);
  assert.deepEqual(skusOf([item(1, { sku: "a" }), item(2), item(3, { sku: "a" })]), ["a"]);
});

test("only http and https are followed", () => {
  const base = "https://shop.example/a/b";
  assert.equal(safeUrl("/orders/1", base), "https://shop.example/orders/1");
  assert.equal(safeUrl("c?d#e", base), "https://shop.example/a/c?d#e");
  assert.equal(safeUrl("http://other.example/", base), "http://other.example/");
  const bad = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)",
    "\u0001javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "blob:https://shop.example/1",
    "file:///etc/passwd", "https://", "http://[", "", undefined, null,
  ];
  for (const url of bad) assert.equal(safeUrl(url, base), "", String(url));
});

test("the counted way is followed where there is one, and nothing unsafe", () => {
  const base = "https://shop.example/a/b", url = "https://shop.example/p/1", link = "https://shop.example/c/x";
  assert.equal(wayOf({ url, link }, base), link);
  assert.equal(wayOf({ url }, base), url);
  assert.equal(wayOf({ url, link: "javascript:alert(1)" }, base), url);
  assert.equal(wayOf({ url: "javascript:alert(1)" }, base), "");
});

test("time is told as people do", () => {
  assert.equal(ago(3), "now");
  assert.equal(ago(-500), "now");
  assert.equal(ago(60), "1 min. ago");
  assert.equal(ago(59 * 60), "59 min. ago");
  assert.equal(ago(119 * 60), "1 hr. ago");
  assert.equal(ago(5 * 3600), "5 hr. ago");
  assert.equal(ago(26 * 3600), "yesterday");
  assert.equal(ago(3 * 86400), "3 days ago");
  assert.equal(ago(12 * 86400), "Nov 12");
  assert.equal(ago(400 * 86400), "Oct 20, 2025");
  assert.equal(ago(26 * 3600, "de"), "gestern");
  assert.equal(relativeTime("no date", NOW, "en"), "");
});

test("the badge stops at 99", () => {
  assert.deepEqual([0, -1, 1, 99, 100, 5000].map((n) => badgeText(n, "en")), ["", "", "1", "99", "99+", "99+"]);
});

test("the panel stays within the window", () => {
  const view = { width: 1000, height: 800 };
  const bell = (left, top) => ({ left, right: left + 40, top, bottom: top + 40 });
  assert.deepEqual(place(bell(900, 10), 400, view, false), { left: 540, up: false, offset: 58, room: 734 });
  assert.equal(place(bell(900, 10), 400, view, true).left, 592);
  assert.equal(place(bell(10, 10), 400, view, false).left, 8);
  assert.equal(place(bell(10, 10), 400, view, true).left, 10);
  assert.deepEqual(place(bell(900, 740), 400, view, false), { left: 540, up: true, offset: 68, room: 724 });
});

test("every language has every text, in every plural form it needs", () => {
  for (const [locale, texts] of Object.entries(MESSAGES)) {
    assert.deepEqual(Object.keys(texts), Object.keys(MESSAGES.en), locale);
    const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    for (const text of Object.values(texts)) {
      if (typeof text === "string") assert.ok(text);
      else for (const n of [0, 1, 2, 3, 11, 100]) assert.ok(counted(text, n, locale), `${locale} ${forms}`);
    }
  }
});

test("a locale finds its texts, and own ones come first", () => {
  assert.equal(messagesFor("de-AT").title, "Mitteilungen");
  assert.equal(messagesFor("zz").title, "Notifications");
  assert.equal(messagesFor("fr", { title: "Messages" }).title, "Messages");
  assert.equal(directionOf("ar-EG"), "rtl");
  assert.equal(directionOf("de"), "ltr");
  assert.equal(counted(MESSAGES.en.several, 1, "en"), "1 more notification");
  assert.equal(counted(MESSAGES.ar.unreadCount, 2, "ar"), "إشعاران غير مقروءين");
});
