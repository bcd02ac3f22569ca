// The basket: what is in it, what it comes to, and buying.

import { ask } from "/web/shop-api.js";
import { draw } from "/web/shop-art.js";
import { $, freshId, h, modal, money, put, say } from "/web/shop-dom.js";
import { logIn } from "/web/shop-login.js";
import { basket, left, named, on, products, session } from "/web/shop-state.js";

let attempt = null; // the key of an order whose answer did not come: the same order again is bought once

/** Put some into the basket; false, and said why, where there are not so many. */
export function addToBasket(sku, more = 1) {
  const product = products.get(sku);
  const quantity = (basket.lines.get(sku) ?? 0) + more;
  if (product.available !== null && quantity > product.available) {
    say(`${product.name}: ${left(product).text.toLowerCase()}.`, "bad");
    return false;
  }
  basket.put(sku, quantity);
  say(`${product.name} is in your basket.`);
  return true;
}

export function openBasket() {
  redraw();
  $("basket").showModal();
}

function lines() {
  return [...basket.lines].filter(([sku]) => products.has(sku)).map(([sku, quantity]) => ({ ...products.get(sku), quantity }));
}

function row(line) {
  const turn = (by, label) => h("button", { className: "step", "aria-label": `${label}: ${line.name}`, data: { focus: `${label}-${line.sku}` }, on: { click: () => basket.put(line.sku, line.quantity + by) } }, by > 0 ? "+" : "−");
  const short = line.available !== null && line.quantity > line.available;
  return h("li", { data: { short } },
    draw(line), h("div", {}, h("b", {}, named(line)), h("small", {}, short ? left(line).text : money(line.price))),
    h("div", { className: "stepper" }, turn(-1, "One less"), h("span", {}, String(line.quantity)), turn(1, "One more")));
}

function redraw(problem = "") {
  const found = lines();
  const total = found.reduce((sum, line) => sum + Number(line.price) * line.quantity, 0);
  const short = found.some((line) => line.available !== null && line.quantity > line.available);
  const focused = document.activeElement?.dataset?.focus;
  $("basket").replaceChildren(
    h("button", { className: "close", "aria-label": "Close", on: { click: () => $("basket").close() } }, "×"),
    h("h2", { id: "basket-title" }, "Your basket"),
    found.length ? h("ul", { className: "lines" }, found.map(row)) : h("p", { className: "empty" }, "Nothing in it yet."),
    h("p", { className: "total", hidden: !found.length }, "Total ", h("b", {}, money(total))),
    h("p", { className: "problem", role: "alert", hidden: !problem }, problem),
    h("button", { className: "primary wide", data: { focus: "buy" }, disabled: !found.length || short, on: { click: ({ target }) => buy(target) } }, session.now ? "Buy" : "Log in and buy"));
  if (focused) $("basket").querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

async function buy(press) {
  if (!session.now && !(await logIn())) return;
  press.disabled = true;
  const body = { lines: lines().map(({ sku, quantity }) => ({ sku, quantity })) };
  const text = JSON.stringify(body);
  if (attempt?.text !== text) attempt = { text, key: freshId() };
  try {
    const placed = await ask("POST", "/shop/api/orders", { own: true, body, key: attempt.key });
    attempt = null;
    basket.clear();
    $("basket").close();
    say(`Order ${placed.order} over ${money(placed.total)} is placed. The confirmation is on its way.`);
  } catch (problem) {
    if (problem.status && problem.status < 500) attempt = null;
    redraw(problem.message);
  }
}

/** Keep the number on the header's button right. */
export function showBasket() {
  const count = [...basket.lines.values()].reduce((sum, n) => sum + n, 0);
  const badge = $("basket-open").querySelector(".count");
  put(badge, String(count));
  badge.hidden = count === 0;
  $("basket-open").setAttribute("aria-label", count ? `Basket, ${count} in it` : "Basket, empty");
}

modal($("basket"));
on("basket", () => {
  showBasket();
  if ($("basket").open) redraw();
});
for (const event of ["stock", "session"]) on(event, () => $("basket").open && redraw());
