// The console's pure parts: scales, explanations, CSV, JSON, and which picture an answer gets.
import assert from "node:assert/strict";
import { test } from "node:test";

import { csv } from "/web/console-csv.js";
import { bytes, moment, percent, span, words } from "/web/console-format.js";
import { lineAt, namesOf, pretty, readObject } from "/web/console-json.js";
import { picture, reader } from "/web/console-questions.js";
import { begin, buckets, decades, ticks, times } from "/web/console-scale.js";
import { conclude, decisive, explainReason, explainStep } from "/web/console-words.js";

const HOUR = 3_600_000;

test("an axis has round numbers from nothing to beyond the most", () => {
  assert.deepEqual(ticks(0), [0, 1]);
  assert.deepEqual(ticks(9.7), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(10_200), [0, 2500, 5000, 7500, 10_000, 12_500]);
  for (const max of [0.004, 1, 3, 17, 99, 12_345, 7e9]) {
    const found = ticks(max);
    assert.ok(found.at(-1) >= max && found.length <= 7, `${max}: ${found}`);
  }
  assert.deepEqual(decades(12, 900), [10, 100, 1000]);
  assert.deepEqual(decades(5, 5), [1, 10]);
});

test("times on an axis are round in the reader's zone", () => {
  const from = Date.UTC(2026, 10, 24, 0, 10);
  const india = times(from, from + 24 * HOUR, 8, -330);
  assert.equal(india.step, 3 * HOUR);
  for (const at of india.at) assert.equal((at + 330 * 60_000) % (3 * HOUR), 0);
  assert.ok(india.at.length <= 9 && india.at[0] >= from);
});

test("rows are summed up per bucket, and gaps are there as nothing", () => {
  const rows = [{ at: 2, name: "a", value: 1 }, { at: 5, name: "a", value: 2 }, { at: 21, name: "b", value: 4 }, { at: 99, name: "b", value: 9 }];
  assert.deepEqual(buckets(rows, { from: 0, to: 25, step: 10 }), [{ at: 0, values: { a: 3 } }, { at: 10, values: {} }, { at: 20, values: { b: 4 } }]);
});

test("a young system's chart begins where its story does", () => {
  const [to, hour] = [100 * HOUR, HOUR];
  assert.equal(begin([{ at: to - 30 * 60_000 }], to - hour, to), to - 30 * 60_000);
  assert.equal(begin([{ at: to - 60_000 }], to - hour, to), to - 15 * 60_000);
  assert.equal(begin([{ at: to - 9 * hour }], to - hour, to), to - hour);
  assert.equal(begin([], to - hour, to), to - 15 * 60_000);
});

test("numbers, spans and times are read as people do", () => {
  assert.deepEqual([span(0.4), span(12.6), span(1234), span(90_000), span(2 * HOUR), span(null)], ["0.4 ms", "13 ms", "1.2 s", "1.5 min", "2 h", "–"]);
  assert.deepEqual([bytes(412), bytes(2310), percent(0.1234)], ["412 B", "2.3 kB", "12.3%"]);
  assert.deepEqual([words("BACK_IN_STOCK"), words("OTP"), words("ctr_by_template"), words("")], ["Back in stock", "One-time code", "CTR by template", "–"]);
  assert.equal(moment("2026-11-24 10:00:00"), Date.UTC(2026, 10, 24, 10));
  assert.equal(moment("2026-11-24T10:00:00+02:00"), Date.UTC(2026, 10, 24, 8));
  assert.equal(moment("2026-11-24"), Date.UTC(2026, 10, 24));
});

test("CSV keeps commas, quotes and lines, and starts no formula", () => {
  assert.equal(csv(["a", "b"], [[1, 'say "x", y'], [null, "two\nlines"]]), 'a,b\r\n1,"say ""x"", y"\r\n,"two\nlines"\r\n');
  assert.equal(csv(["a"], [["=1+1"], ["@x"], ["-5"], [-5], ["+44 77"]]), "a\r\n'=1+1\r\n'@x\r\n-5\r\n-5\r\n'+44 77\r\n");
});

test("a payload is set out if it is JSON, and stays what it is if not", () => {
  assert.deepEqual(pretty('{"a":1}'), { text: '{\n  "a": 1\n}', json: true });
  assert.deepEqual(pretty("{a"), { text: "{a", json: false });
});

test("what is wrong with data is said with its line", () => {
  assert.deepEqual(readObject('{"a": 1}'), { value: { a: 1 } });
  assert.equal(readObject("[1]").problem.line, 1);
  const lineIn = (text) => readObject(text).problem.line;
  assert.equal(lineIn('{\n  "a": 1,\n  oops\n}'), 3);
  assert.equal(lineIn('{\n  "a": [1, {"b": null}]\n  "c": 2\n}'), 3);
  assert.equal(lineIn('{"a": "x\ny"}'), 1);
  assert.equal(lineIn('{"a": 1,\n}'), 2);
  assert.equal(lineIn('{"a": 1}\n}'), 2);
  assert.equal(lineIn(""), 1);
  assert.equal(readObject("{ oops }").problem.detail.split("\n").length, 1);
  const text = JSON.stringify({ item: { name: "x" }, items: [{ name: "y" }], name: 1 }, null, 2);
  assert.deepEqual(namesOf("#/data/item/na~1me"), ["data", "item", "na/me"]);
  assert.equal(lineAt(text, ["item", "name"]), 3);
  assert.equal(lineAt(text, ["nothing"]), 0);
});

test("every step of the router is told in words, and one nobody knows as it is", () => {
  const steps = ["rules=6a06cd88", "category=stock", "lane=low", "cancelled=yes", "dedupe=duplicate", "user=unknown", "expiry=over", "expiry=before_quiet_hours", "unless=acked", "unless=read:happened",
    "woken=quiet_hours", "send_at=ahead", "opt_out=opted_out", "opt_out=no", "muted=muted", "address=no_address", "address=yes", "words=no_words", "quiet=yes", "quiet=no", "quiet=passed", "digest=collected",
    "strategy=all", "strategy=first", "strategy=cascade", "cap=promotional:3/5", "cap=all:reached"];
  const said = steps.map((text) => text.split("=")).map(([step, result]) => explainStep({ step, result }));
  for (const [i, sentence] of said.entries()) assert.match(sentence, /^[A-Z].*\.$/, `${steps[i]}: ${sentence}`);
  assert.equal(new Set(said).size, said.length);
  assert.equal(said.filter((sentence) => /undefined/.test(sentence)).length, 0);
  assert.equal(explainStep({ step: "moon_phase", result: "full" }), "Moon phase: full.");
  assert.equal(explainStep({ step: "cap", result: "promotional:3/5" }), "Within the cap: 3 of 5 promotional messages in its time.");
});

test("the step that made the difference is known", () => {
  const of = (text) => decisive(Object.fromEntries([["step", text.split("=")[0]], ["result", text.split("=")[1]]]));
  for (const text of ["opt_out=opted_out", "muted=muted", "quiet=yes", "cap=all:reached", "dedupe=duplicate", "strategy=cascade"]) assert.ok(of(text), text);
  for (const text of ["rules=1", "opt_out=no", "muted=no", "address=yes", "quiet=no", "quiet=passed", "cap=all:1/5", "strategy=all"]) assert.ok(!of(text), text);
});

test("what became of it is one sentence with its reason", () => {
  const began = "2026-11-24T10:00:00Z";
  assert.equal(conclude({ state: "delivered", at: "2026-11-24T10:00:00.250Z", provider: "apns" }, began), "Delivered by apns, 250 ms after it was accepted.");
  assert.equal(conclude({ state: "suppressed", reason: "muted" }, began), "Not sent because the person has muted this category on this channel.");
  assert.equal(conclude({ state: "suppressed", reason: "capped:promotional" }, began), "Not sent because the person has had as many promotional messages as the cap allows.");
  assert.equal(conclude({ state: "failed", reason: "410 Unregistered" }, began), "Could not be delivered: 410 Unregistered.");
  assert.equal(conclude({ state: "deferred", reason: "quiet_hours" }, began), "Waits because of quiet hours.");
  assert.equal(explainReason("first:push"), "it went by Push instead, where the person is reached first");
});

const columns = (...names) => names.map((each) => ({ name: each.split(":")[0], type: each.split(":")[1] ?? "UInt64" }));

test("an answer gets the picture that fits it", () => {
  assert.equal(picture(columns("a"), []), null);
  const funnel = picture(columns("channel:String", "accepted", "delivered", "clicked"), [["push", 10, 9, 2], ["sms", 5, 5, 1]]);
  assert.deepEqual(funnel, { kind: "funnel", steps: [{ label: "accepted", value: 15 }, { label: "delivered", value: 14 }, { label: "clicked", value: 3 }] });
  const rates = columns("template_id:LowCardinality(String)", "template_version:UInt32", "ctr:Float64", "ctr_low:Float64", "ctr_high:Float64");
  assert.deepEqual(picture(rates, [["A", 2, 0.1, 0.08, 0.12]]), { kind: "whiskers", rows: [{ label: "A · version 2", marks: [{ name: "human", label: "people", low: 0.08, mid: 0.1, high: 0.12 }] }] });
  const series = picture(columns("at:DateTime", "channel:String", "deliveries"), [0, 1, 2].map((n) => [`2026-11-24 0${n}:00:00`, "sms", n]));
  assert.deepEqual([series.kind, series.step, series.names], ["time", HOUR, ["SMS"]]);
  assert.deepEqual(picture(columns("who:String", "events", "share:Float64"), [["HEAD", 4, 0.7], ["person", 2, 0.3]]).rows, [{ label: "HEAD", value: 4 }, { label: "person", value: 2 }]);
  const waves = columns("sku:String", "at:DateTime64(3)", "available", "told", "delivered", "clicked_in_1_h", "converted");
  assert.deepEqual(picture(waves, [["a", "2026-11-24 00:00:00", 5, 4, 3, 2, 1]]).steps.map(({ value }) => value), [4, 3, 2, 1]);
  const took = picture(columns("channel:String", "clicked", "p50_seconds:Float64", "to_10_s", "to_1_min", "later"), [["sms", 6, 9, 3, 2, 1], ["push", 1, 9, 1, 0, 0]]);
  assert.deepEqual([took.kind, took.rows.map(({ value }) => value)], ["bars", [4, 2, 1]]);
  const hours = picture(columns("weekday:String", "hour:UInt8", "deliveries"), [["Tue", 9, 7], ["Sun", 23, 1]]);
  assert.deepEqual([hours.kind, hours.grid[1][9], hours.grid[6][23], hours.grid[0][0]], ["week", 7, 1, 0]);
  const failures = columns("channel:String", "reason:String", "deliveries", "example:String", "last_at:DateTime");
  assert.deepEqual(picture(failures, ["a", "b", "c"].map((why) => ["push", why, 3, "n-1", "2026-11-24 00:00:00"])).rows[0], { label: "Push · a", value: 3 });
});

test("a column is read as what it is", () => {
  const read = (column, rows) => reader(columns(column)[0], 0, rows)(rows[0][0]);
  assert.equal(read("p95_ms:Float64", [[1500]]), "1.5 s");
  assert.equal(read("bounce_rate:Float64", [[0.25]]), "25%");
  assert.equal(read("fitting:Array(Tuple(String, Float64))", [[[["a", 1]]]]), '[["a",1]]');
  assert.equal(read("p50_seconds:Float64", [[90]]), "1.5 min");
  assert.equal(read("calls_rate:Float64", [[25]]), "25");
  assert.equal(read("channel:String", [["inapp"]]), "In-app");
  assert.equal(read("reason:String", [[""]]), "–");
});
