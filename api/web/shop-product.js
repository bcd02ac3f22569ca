// One product in a dialog: to buy while there is some, to wait for while there is none.

import { draw } from "/web/shop-art.js";
import { ask } from "/web/shop-api.js";
import { addToBasket } from "/web/shop-basket.js";
import { $, h, modal, money, say } from "/web/shop-dom.js";
import { logIn } from "/web/shop-login.js";
import { left, named, on, products, session, waits } from "/web/shop-state.js";

const CHANNELS = {
  inapp: ["In this shop", "the bell up there"],
  push: ["Push", "on your phone's screen"],
  sms: ["SMS", "to your number"],
  email: ["Email", "to your mailbox"],
};
const wanted = new Set(["inapp", "push", "sms", "email"]);
let shown = null;

/** Open the dialog of a product. */
export function openProduct(sku) {
  shown = sku;
  redraw();
  if (!$("product").open) $("product").showModal();
}

function redraw() {
  const product = products.get(shown);
  const dialog = $("product");
  if (!product) return;
  const focused = document.activeElement?.closest?.("#product [data-focus]")?.dataset.focus;
  const { state, text } = left(product);
  dialog.dataset.state = state;
  dialog.dataset.sku = product.sku;
  dialog.replaceChildren(
    h("button", { className: "close", "aria-label": "Close", data: { focus: "close" }, on: { click: () => dialog.close() } }, "×"),
    h("div", { className: "picture" }, draw(product)),
    h("div", { className: "facts" },
      h("p", { className: "code" }, `No. ${product.sku}`),
      h("h2", { id: "product-name" }, named(product)),
      h("p", { className: "meta" }, h("span", { className: "price" }, money(product.price)), h("span", { className: "stock" }, text)),
      state === "out" ? (waits.of.has(product.sku) ? listed(waits.of.get(product.sku)) : notify(product)) : buy(product)));
  if (focused) dialog.querySelector(`[data-focus="${focused}"]`)?.focus();
}

function buy(product) {
  const quantity = h("input", { type: "number", min: 1, max: 100, value: 1, "aria-label": "How many", data: { focus: "quantity" } });
  return h("form", { className: "buy", on: { submit: (event) => {
    event.preventDefault();
    if (addToBasket(product.sku, Math.max(1, Math.min(100, Math.round(quantity.valueAsNumber || 1))))) $("product").close();
  } } },
  quantity, h("button", { className: "primary", disabled: left(product).state === "unknown", data: { focus: "add" } }, "Add to basket"),
  h("p", { className: "fine" }, "Buying is real here: the stock goes down for everybody who looks, and a confirmation comes."));
}

function notify(product) {
  const choices = Object.entries(CHANNELS).map(([channel, [name, where]]) =>
    h("label", { className: "channel-choice", data: { channel } },
      h("input", { type: "checkbox", name: "channel", value: channel, checked: wanted.has(channel), data: { focus: channel }, on: { change: ({ target }) => {
        if (target.checked) wanted.add(channel);
        else wanted.delete(channel);
        press.disabled = wanted.size === 0;
      } } }),
      h("span", {}, h("b", {}, name), h("small", {}, where))));
  const press = h("button", { className: "primary", disabled: wanted.size === 0, data: { focus: "notify" } }, "Notify me");
  return h("form", { className: "notify", on: { submit: (event) => {
    event.preventDefault();
    signUp(product, press);
  } } },
  h("fieldset", {}, h("legend", {}, "Tell me when it is back:"), choices), press,
  h("p", { className: "fine" }, session.now ? "Once, and first come first told." : "You log in first, with a phone that exists on this page only."));
}

async function signUp(product, press) {
  if (!session.now && !(await logIn())) return;
  press.disabled = true;
  const body = { sku: product.sku, channels: Object.keys(CHANNELS).filter((channel) => wanted.has(channel)) };
  try {
    await ask("POST", "/v1/subscriptions", { own: true, body });
    waits.set((await ask("GET", "/shop/api/me", { own: true })).waiting);
    redraw();
  } catch (problem) {
    press.disabled = false;
    say(problem.message, "bad");
  }
}

function listed(wait) {
  return h("div", { className: "listed" },
    h("p", { className: "place" }, "You are on the list ", h("span", {}, `(place ${wait.place} of ${wait.of})`)),
    h("p", { className: "chips" }, wait.channels.map((channel) => h("span", { className: "chip", data: { channel } }, CHANNELS[channel][0]))),
    h("button", { className: "quiet", data: { focus: "cancel" }, on: { click: ({ target }) => cancel(wait, target) } }, "Take me off the list"),
    h("p", { className: "fine" }, "Restock it behind the counter, in this tab or another, and see what happens."));
}

async function cancel(wait, press) {
  press.disabled = true;
  try {
    await ask("DELETE", `/v1/subscriptions/${encodeURIComponent(wait.subscription_id)}`, { own: true });
    waits.set([...waits.of.values()].filter((other) => other.sku !== wait.sku));
  } catch (problem) {
    press.disabled = false;
    say(problem.message, "bad");
  }
}

modal($("product"));
on("stock", ({ sku }) => $("product").open && sku === shown && redraw());
on("waits", () => $("product").open && redraw());
on("session", () => $("product").open && redraw());
