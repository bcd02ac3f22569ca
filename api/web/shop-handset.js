// The shopper's own phone at the side of the page: every SMS, push and mail that came.

import { ask } from "/web/shop-api.js";
import { $, put } from "/web/shop-dom.js";
import { Phone } from "/web/shop-phone.js";
import { on, session } from "/web/shop-state.js";

const EVERY_MS = 1_500;
const KEPT = 30;
const phone = new Phone($("handset"));
let messages = [];
let unseen = 0;
let asking = false;

const shown = () => getComputedStyle($("handset")).display !== "none" && !$("handset").hidden;
const wide = matchMedia("(min-width: 1100px)");

function keep(found) {
  messages = [...messages, ...found].slice(-KEPT);
  sessionStorage.setItem("shop-phone", JSON.stringify(messages));
}

async function look() {
  const who = session.now;
  if (!who || asking || document.visibilityState !== "visible") return;
  asking = true;
  try {
    const page = await ask("GET", `/shop/api/phone?after=${who.after}`, { own: true });
    if (who !== session.now || page.last <= who.after) return;
    who.after = page.last;
    sessionStorage.setItem("shop-session", JSON.stringify(who));
    if (!page.messages.length) return;
    keep(page.messages);
    phone.add(page.messages);
    if (!isOpen()) unseen += page.messages.length;
    count();
  } catch {
    // the next look is soon
  } finally {
    asking = false;
  }
}

const isOpen = () => shown() && (wide.matches || $("handset").classList.contains("open"));

function count() {
  const badge = $("handset-open").querySelector(".count");
  put(badge, String(unseen));
  badge.hidden = unseen === 0;
  $("handset-open").setAttribute("aria-label", unseen ? `Your phone, ${unseen} new` : "Your phone");
}

function turn(open) {
  $("handset").classList.toggle("open", open);
  $("handset-open").setAttribute("aria-expanded", open);
  if (open) unseen = 0;
  count();
}

function begin(who) {
  $("handset").hidden = $("handset-open").hidden = !who;
  phone.caption.textContent = who ? `${who.name}'s phone · ${who.number}` : "";
  phone.clear();
  unseen = 0;
  turn(false);
  if (!who) {
    messages = [];
    sessionStorage.removeItem("shop-phone");
    return;
  }
  look();
}

/** Show it while somebody is logged in. */
export function startHandset() {
  on("session", begin);
  begin(session.now);
  if (session.now) {
    messages = JSON.parse(sessionStorage.getItem("shop-phone") ?? "[]");
    phone.add(messages, false);
  }
  $("handset-open").addEventListener("click", () => turn(!$("handset").classList.contains("open")));
  $("handset").addEventListener("keydown", ({ key }) => key === "Escape" && turn(false));
  setInterval(look, EVERY_MS);
}
