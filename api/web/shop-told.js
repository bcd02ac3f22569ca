// Who waits for a product, and after a restock how each of them is told, channel by channel.

import { ask } from "/web/shop-api.js";
import { draw } from "/web/shop-art.js";
import { h, put } from "/web/shop-dom.js";
import { named, products, waits } from "/web/shop-state.js";

const EVERY_MS = 1_000;
const LONGEST_MS = 120_000;
const AT_ONCE = 50;
const GROUPS = 6;
const NAMES = { inapp: "in-app", push: "push", sms: "SMS", email: "email" };
const ENDED = new Set(["delivered", "failed", "suppressed", "expired", "cancelled"]);

const host = h("div", { className: "groups" });
const hint = h("p", { className: "fine" }, "Restock something people wait for, and they are listed here while they are told. Press a queue to see who is in it.");

/** The panel. */
export function toldPanel() {
  return h("section", { className: "card told", "aria-label": "Who is told" }, h("h2", {}, "Who is told"), hint, host);
}

function group(product, kind, text) {
  for (const old of host.querySelectorAll(`[data-kind="queue"]`)) old.remove();
  hint.hidden = true;
  const list = h("ol", { className: "people" });
  const summary = h("span", { className: "summary", role: "status" }, text);
  const made = h("article", { className: "group", data: { kind, sku: product.sku } },
    h("header", {}, draw(product), h("div", {}, h("b", {}, named(product)), summary),
      h("button", { className: "step", "aria-label": `Put away: ${product.name}`, on: { click: () => {
        made.remove();
        hint.hidden = host.children.length > 0;
      } } }, "×")), list);
  host.prepend(made);
  while (host.children.length > GROUPS) host.lastElementChild.remove();
  return { made, list, summary };
}

function person({ subscription_id, who, place }, channels) {
  const mine = [...waits.of.values()].some((wait) => wait.subscription_id === subscription_id);
  const chips = new Map(Object.entries(channels).map(([channel, state]) => [channel, chip(channel, state)]));
  const line = h("span", { className: "ways" }, [...chips.values()]);
  const made = h("li", {}, h("span", { className: "place" }, String(place)), h("span", { className: "who" }, mine ? "you" : who), line);
  return { made, line, chips };
}

const chip = (channel, state) => h("span", { className: "way", data: { channel, state } }, h("i"), h("span", {}, NAMES[channel]), h("small", {}, state));

/** Who waits for a product now. */
export async function showQueue(sku) {
  const product = products.get(sku);
  const { waiting } = await ask("GET", `/shop/api/counter/queues/${encodeURIComponent(sku)}`);
  const { list } = group(product, "queue", waiting.length ? `${waiting.length} waiting, first come first told` : "Nobody waits for it");
  for (const each of waiting) list.append(person(each, Object.fromEntries(each.channels.map((channel) => [channel, "waiting"]))).made);
}

/** Follow those who waited, until all of them are told. */
export function follow(product, queue) {
  const people = new Map(queue.slice(0, AT_ONCE).map((each) => [each.subscription_id, person(each, Object.fromEntries(each.channels.map((channel) => [channel, "waiting"])))]));
  const shown = group(product, "told", "telling them…");
  for (const { made } of people.values()) shown.list.append(made);
  const until = Date.now() + LONGEST_MS;
  const tick = async () => {
    const open = await look(people).catch(() => people.size);
    put(shown.summary, open ? `telling them… ${people.size - open} of ${people.size} done` : people.size === 1 ? "told" : `all ${people.size} told`);
    shown.made.dataset.done = open === 0;
    if (open && Date.now() < until && shown.made.isConnected) setTimeout(tick, EVERY_MS);
  };
  tick();
}

/** Ask how far they are; how many are not through yet. */
async function look(people) {
  const { told } = await ask("POST", "/shop/api/counter/told", { body: { subscription_ids: [...people.keys()] } });
  let open = people.size;
  for (const each of told) {
    const { line, chips } = people.get(each.subscription_id);
    for (const [channel, state] of Object.entries(each.channels)) {
      if (!chips.has(channel)) {
        chips.set(channel, chip(channel, state));
        line.append(chips.get(channel));
      }
      chips.get(channel).dataset.state = state;
      put(chips.get(channel).lastElementChild, state);
    }
    const states = Object.values(each.channels);
    if (states.length && states.every((state) => ENDED.has(state))) open -= 1;
  }
  return open;
}
