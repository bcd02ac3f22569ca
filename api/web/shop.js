// The shop's page: puts its parts together, and follows the stock over one anonymous socket.

import { connect } from "/web/socket.js";
import { ask } from "/web/shop-api.js";
import { openBasket, showBasket } from "/web/shop-basket.js";
import { hideCounter, showCounter } from "/web/shop-counter.js";
import { $, say } from "/web/shop-dom.js";
import { drawGrid } from "/web/shop-grid.js";
import { logIn } from "/web/shop-login.js";
import { startHandset } from "/web/shop-handset.js";
import { openProduct } from "/web/shop-product.js";
import { on, products, session, stock, stocked, waits } from "/web/shop-state.js";

const WAITS_EVERY_MS = 5_000;
const TABS = ["floor", "counter"];

function turnTo(name, focus = false) {
  for (const tab of TABS) {
    const chosen = tab === name;
    $(tab).hidden = !chosen;
    $(`tab-${tab}`).setAttribute("aria-selected", chosen);
    $(`tab-${tab}`).tabIndex = chosen ? 0 : -1;
  }
  if (focus) $(`tab-${name}`).focus();
  if (name === "counter") showCounter();
  else hideCounter();
  history.replaceState(null, "", name === "counter" ? "/shop#counter" : "/shop");
}

for (const name of TABS) {
  $(`tab-${name}`).addEventListener("click", () => turnTo(name));
  $(`tab-${name}`).addEventListener("keydown", ({ key }) => {
    if (key === "ArrowRight" || key === "ArrowLeft") turnTo(TABS[1 - TABS.indexOf(name)], true);
  });
}

function showState(state, text) {
  $("state").dataset.state = state;
  $("state").lastElementChild.textContent = state === "live" ? "live stock" : text;
}

function showSession(who) {
  $("login-open").hidden = who !== null;
  $("me").hidden = who === null;
  $("me").querySelector(".name").textContent = who?.name ?? "";
  $("me").querySelector(".face").textContent = who?.name.trim().charAt(0).toUpperCase() ?? "";
  $("me").setAttribute("aria-label", `${who?.name ?? ""}: log out`);
  $("inbox").replaceChildren(...(who ? [inboxOf(who)] : []));
  if (who) remember();
}

function inboxOf(who) {
  const inbox = document.createElement("tocsin-inbox");
  inbox.setAttribute("api", location.origin);
  inbox.setAttribute("locale", "en");
  inbox.getToken = async () => who.token;
  inbox.addEventListener("tocsin-open", (event) => {
    if (!event.detail.url) return;
    const at = new URL(event.detail.url, location.href);
    if (at.origin !== location.origin || at.pathname !== "/shop") return;
    event.preventDefault();
    inbox.hide();
    if (products.has(at.searchParams.get("sku"))) openProduct(at.searchParams.get("sku"));
  });
  inbox.addEventListener("tocsin-notification", () => remember());
  return inbox;
}

/** What the shopper waits for, and at which place. */
async function remember() {
  if (!session.now) return;
  const who = session.now;
  const me = await ask("GET", "/shop/api/me", { own: true }).catch(() => null);
  if (me && who === session.now) waits.set(me.waiting);
}

const socket = connect({
  ticket: () => fetch("/shop/api/live-ticket"),
  opened: () => socket.say({ op: "watch", skus: [...products.keys()] }),
  frame: (frame) => frame.op === "stock" && stock(frame.sku, frame.available),
  state: showState,
});

async function open() {
  stocked((await ask("GET", "/shop/api/products")).products);
  socket.say({ op: "watch", skus: [...products.keys()] });
  const wanted = new URLSearchParams(location.search).get("sku");
  if (products.has(wanted)) openProduct(wanted);
}

$("login-open").addEventListener("click", () => logIn());
$("me").addEventListener("click", () => {
  session.end();
  say("You are logged out.");
});
$("basket-open").addEventListener("click", openBasket);
on("session", showSession);
setInterval(() => document.visibilityState === "visible" && waits.of.size && remember(), WAITS_EVERY_MS);
drawGrid();
showBasket();
startHandset();
showSession(session.now);
if (location.hash === "#counter") turnTo("counter");
open().catch((problem) => say(`The shop is not open yet: ${problem.message}`, "bad"));
