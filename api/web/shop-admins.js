// The shop's admins: who of them is connected, joining them, and a word to them all.

import { ask } from "/web/shop-api.js";
import { $, h, put, say } from "/web/shop-dom.js";
import { logIn } from "/web/shop-login.js";
import { on, session } from "/web/shop-state.js";

const EVERY_MS = 4_000;
const KINDS = { NEW_COMPLAINT: "A complaint", STAFF_NOTICE: "A notice" };
const FIRST = { NEW_COMPLAINT: "The heart came broken, and it was a present.", STAFF_NOTICE: "The van is here early: all hands to the back door." };
const list = h("p", { className: "present", role: "status" }, "…");
const join = h("button", { className: "quiet small", on: { click: turn } });
let admin = false;

/** The panel. */
export function showAdmins() {
  const kind = h("select", { "aria-label": "Kind", on: { change: () => (text.value = FIRST[kind.value]) } }, Object.entries(KINDS).map(([value, name]) => h("option", { value }, name)));
  const text = h("input", { value: FIRST.NEW_COMPLAINT, maxLength: 300, "aria-label": "Words", required: true });
  const form = h("form", { className: "tell", on: { submit: (event) => {
    event.preventDefault();
    tell(kind.value, text.value);
  } } }, kind, text, h("button", { className: "primary small" }, "Tell the admins"));
  put(join, "Join them");
  setInterval(() => !$("counter").hidden && document.visibilityState === "visible" && look(), EVERY_MS);
  on("session", look);
  look();
  return h("section", { className: "card admins", "aria-label": "Admins" },
    h("h2", {}, "Admins"), h("div", { className: "admins-row" }, list, join), form);
}

async function look() {
  try {
    const { present } = await ask("GET", "/shop/api/counter/admins");
    put(list, present.length ? `${present.length} here now: ${present.join(", ")}` : "None of them is connected.");
    admin = session.now ? (await ask("GET", "/shop/api/me", { own: true })).admin : false;
  } catch {
    admin = false;
  }
  put(join, admin ? "Leave" : "Join them");
}

async function turn() {
  if (!session.now && !(await logIn())) return;
  try {
    await ask(admin ? "DELETE" : "PUT", "/shop/api/counter/admins", { own: true });
  } catch (problem) {
    say(problem.message, "bad");
  }
  look();
}

async function tell(type, text) {
  try {
    await ask("POST", "/shop/api/counter/broadcasts", { body: { type, text } });
    say("The admins are being told.");
  } catch (problem) {
    say(problem.message, "bad");
  }
}
