// Behind the counter: every shelf with its stock and its queue, to be changed by whoever looks.

import { ask } from "/web/shop-api.js";
import { draw } from "/web/shop-art.js";
import { showAdmins } from "/web/shop-admins.js";
import { $, freshId, h, money, put, say } from "/web/shop-dom.js";
import { left, named, on, products, stock as learn } from "/web/shop-state.js";
import { follow, showQueue, toldPanel } from "/web/shop-told.js";

const EVERY_MS = 2_500;
const SOON_MS = 500;
const FULL = 24;
const rows = new Map();
const waiting = new Map();
let timer = 0;
let built = false;

function build() {
  built = true;
  const body = h("tbody");
  for (const product of products.values()) {
    rows.set(product.sku, row(product));
    body.append(rows.get(product.sku).made);
  }
  const find = h("input", { type: "search", placeholder: "Find a shelf", "aria-label": "Find a shelf", autocomplete: "off", on: { input: ({ target }) => sift(target.value) } });
  $("counter").replaceChildren(
    h("div", { className: "welcome" }, h("div", {}, h("h1", {}, "Behind the counter"),
      h("p", {}, h("span", { className: "demo" }, "demo"), " Everyone may be the shopkeeper here: change a stock, and see who is told."))),
    h("div", { className: "counter-body" },
      h("section", { className: "card shelves", "aria-label": "Shelves" },
        h("div", { className: "shelves-head" }, h("h2", {}, "Shelves"), find),
        h("div", { className: "shelves-scroll", tabIndex: 0 }, h("table", {},
          h("thead", {}, h("tr", {}, ["Product", "Stock", "Waiting", ""].map((name) => h("th", { scope: "col" }, name)))), body))),
      h("div", { className: "panels" }, toldPanel(), showAdmins())));
}

function row(product) {
  const { sku, name } = product;
  const count = h("input", { type: "number", min: 0, max: 100000, "aria-label": `Stock of ${name}` });
  const set = () => {
    const wanted = Math.round(count.valueAsNumber);
    if (Number.isNaN(wanted) || wanted < 0 || wanted === products.get(sku).available) return drawRow(sku);
    change(sku, { available: wanted });
  };
  count.addEventListener("change", set);
  const turn = (by, label) => h("button", { className: "step", "aria-label": `${label}: ${name}`, on: { click: () => change(sku, { delta: by }) } }, by > 0 ? "+" : "−");
  const queue = h("button", { className: "queue", on: { click: () => showQueue(sku) } });
  const restock = h("button", { className: "restock small", "aria-label": `Restock ${name}`, on: { click: () => change(sku, { available: FULL }) } }, "Restock");
  const made = h("tr", { data: { sku } },
    h("th", { scope: "row" }, draw(product), h("span", {}, h("b", {}, named(product)), h("small", {}, `${sku} · ${money(product.price)}`))),
    h("td", {}, h("div", { className: "stepper" }, turn(-1, "One less"), count, turn(1, "One more"))),
    h("td", {}, queue), h("td", {}, restock));
  return { made, count, queue };
}

function drawRow(sku) {
  const found = rows.get(sku);
  const product = products.get(sku);
  if (!found) return;
  const waits = waiting.get(sku) ?? 0;
  found.made.dataset.state = left(product).state;
  if (document.activeElement !== found.count) found.count.value = product.available ?? "";
  found.queue.dataset.waiting = waits > 0;
  put(found.queue, waits ? `${waits} waiting` : "nobody");
  found.queue.setAttribute("aria-label", `${waits || "Nobody"} waiting for ${product.name}`);
}

/** A change of the stock. Who waited before it is followed after it. */
async function change(sku, what) {
  const product = products.get(sku);
  const fires = (product.available ?? 0) <= 0 && (what.available ?? what.delta) > 0;
  try {
    const queue = fires ? (await ask("GET", `/shop/api/counter/queues/${encodeURIComponent(sku)}`)).waiting : [];
    await ask("POST", "/shop/api/counter/stock", { body: { sku, event_id: freshId(), ...what } });
    setTimeout(() => look().catch(() => {}), SOON_MS);
    if (queue.length) follow(product, queue);
    else if (fires) say(`${product.name}: back on the shelf. Nobody was waiting.`);
  } catch (problem) {
    say(problem.message, "bad");
    drawRow(sku);
  }
}

function sift(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const [sku, { made }] of rows) {
    const name = `${products.get(sku).name} ${sku}`.toLowerCase();
    made.hidden = !words.every((word) => name.includes(word));
  }
}

async function look() {
  if (document.visibilityState !== "visible") return;
  const { shelves } = await ask("GET", "/shop/api/counter");
  for (const shelf of shelves) {
    waiting.set(shelf.sku, shelf.waiting);
    if (products.get(shelf.sku)?.available === null && shelf.available !== null) learn(shelf.sku, shelf.available);
    drawRow(shelf.sku);
  }
}

/** The tab was opened. */
export function showCounter() {
  if (!products.size) return; // drawn when they are there
  if (!built) build();
  for (const sku of rows.keys()) drawRow(sku);
  clearInterval(timer);
  const tick = () => look().catch(() => {});
  timer = setInterval(tick, EVERY_MS);
  tick();
}

/** The tab was left: nobody asks any more. */
export function hideCounter() {
  clearInterval(timer);
}

on("products", () => !$("counter").hidden && showCounter());
on("stock", ({ sku }) => drawRow(sku));
