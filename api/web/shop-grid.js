// The shelves: a card for each product, its stock live, found by word and by state.

import { draw } from "/web/shop-art.js";
import { addToBasket } from "/web/shop-basket.js";
import { $, h, money, put } from "/web/shop-dom.js";
import { openProduct } from "/web/shop-product.js";
import { left, named, on, products, waits } from "/web/shop-state.js";

const FILTERS = { all: "All", in: "In stock", low: "Nearly gone", out: "Sold out", mine: "I wait for" };
const cards = new Map();
let chosen = "all";

function card(product) {
  const look = h("button", { className: "look", "aria-label": `${product.name}, details`, on: { click: () => openProduct(product.sku) } }, draw(product));
  const stock = h("span", { className: "stock" });
  const act = h("button", { className: "act", on: { click: () => act.dataset.act === "add" ? addToBasket(product.sku) : openProduct(product.sku) } });
  const made = h("li", { className: "product card", data: { sku: product.sku } },
    look, h("h3", {}, named(product)),
    h("p", { className: "meta" }, h("span", { className: "price" }, money(product.price)), stock), act);
  return { made, stock, act };
}

/** {act, text} of a card's button. */
function offer(product) {
  const wait = waits.of.get(product.sku);
  if (left(product).state !== "out") return { act: "add", text: "Add to basket" };
  if (wait) return { act: "wait", text: `On the list · ${wait.place} of ${wait.of}` };
  return { act: "notify", text: "Notify me" };
}

function drawCard(product, changed = false) {
  const found = cards.get(product.sku);
  if (!found) return;
  const { state, text } = left(product);
  const { act, text: label } = offer(product);
  found.made.dataset.state = state;
  put(found.stock, text);
  put(found.act, label);
  found.act.dataset.act = act;
  found.act.setAttribute("aria-label", `${label}: ${product.name}`);
  if (changed) {
    found.made.classList.remove("moved");
    requestAnimationFrame(() => found.made.classList.add("moved"));
  }
}

function fits(product, words) {
  const { state } = left(product);
  if (chosen === "in" && !(state === "in" || state === "low")) return false;
  if ((chosen === "low" || chosen === "out") && state !== chosen) return false;
  if (chosen === "mine" && !waits.of.has(product.sku)) return false;
  const text = `${product.name} ${product.sku}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function sift() {
  const words = $("query").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const [sku, { made }] of cards) {
    made.hidden = !fits(products.get(sku), words);
    shown += !made.hidden;
  }
  $("none").hidden = shown > 0 || cards.size === 0;
}

function drawFilters() {
  const buttons = Object.entries(FILTERS).map(([name, label]) =>
    h("button", { type: "button", "aria-pressed": name === chosen, data: { filter: name }, on: { click: () => choose(name) } }, label));
  $("filters").replaceChildren(...buttons);
}

function choose(name) {
  chosen = name;
  for (const button of $("filters").children) button.setAttribute("aria-pressed", button.dataset.filter === name);
  sift();
}

/** Draw the shelves, now and whenever something changes. */
export function drawGrid() {
  drawFilters();
  $("find").addEventListener("submit", (event) => event.preventDefault());
  $("query").addEventListener("input", sift);
  on("products", () => {
    for (const product of products.values()) {
      if (!cards.has(product.sku)) {
        cards.set(product.sku, card(product));
        $("grid").append(cards.get(product.sku).made);
      }
      drawCard(product);
    }
    sift();
  });
  on("stock", (product) => {
    drawCard(product, true);
    sift();
  });
  on("waits", () => {
    for (const product of products.values()) drawCard(product);
    sift();
  });
}
