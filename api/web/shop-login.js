// Logging in with a one-time code: the form, and beside it the phone that the code comes to.

import { ask } from "/web/shop-api.js";
import { $, h, modal, say } from "/web/shop-dom.js";
import { Phone } from "/web/shop-phone.js";
import { session } from "/web/shop-state.js";

const FIRST = ["Ada", "Ben", "Cleo", "Dev", "Edith", "Femi", "Grace", "Hugo", "Iris", "Jonas", "Mina", "Noor", "Otto", "Priya"];
const LAST = ["Archer", "Baker", "Cooper", "Fletcher", "Glover", "Mason", "Potter", "Sawyer", "Slater", "Turner", "Weaver", "Wright"];
const PREFIX = "+4477009";
const NUMBER = /^(\+44|0)77009\d{5}$/;
const WAIT_S = 8;

const any = (list) => list[Math.floor(Math.random() * list.length)];
const anyNumber = () => PREFIX + String(Math.floor(Math.random() * 100_000)).padStart(5, "0");

let waiting = null; // ends the asking for messages
let settle = null; // who waits for the log-in
let phone = null;
let sent = null; // {challenge_id, number, after}
let countdown = 0;

/** Ask the visitor to log in; true once they are, false when they close the dialog. */
export function logIn() {
  settle?.(false);
  sent = null;
  drawDialog();
  $("login").showModal();
  return new Promise((resolve) => (settle = resolve));
}

function drawDialog() {
  const side = h("div", { className: "side" });
  phone = new Phone(side, { useCode: fill, caption: "It is drawn, and so is its number: nobody is called." });
  $("login").replaceChildren(
    h("button", { className: "close", "aria-label": "Close", on: { click: () => $("login").close() } }, "×"),
    h("div", { className: "facts" }, h("h2", { id: "login-title" }, "Log in"), h("div", { id: "login-step" })), side);
  askNumber(`${any(FIRST)} ${any(LAST)}`, anyNumber());
}

const problemLine = () => h("p", { id: "login-problem", className: "problem", role: "alert", hidden: true });

function complain(text) {
  $("login-problem").hidden = !text;
  $("login-problem").textContent = text;
}

function askNumber(name, number) {
  const who = h("input", { id: "login-name", value: name, required: true, maxLength: 60, autocomplete: "off" });
  const where = h("input", { id: "login-number", value: number, required: true, inputMode: "tel", maxLength: 32, autocomplete: "off" });
  const other = h("button", { type: "button", className: "step", "aria-label": "Another number", on: { click: () => (where.value = anyNumber()) } }, "↻");
  const form = h("form", { noValidate: true, on: { submit: (event) => {
    event.preventDefault();
    if (!who.value.trim()) return complain("What shall we call you?");
    if (!NUMBER.test(where.value.replace(/[\s().-]/g, ""))) return complain(`The demo calls its own numbers only: ${PREFIX} and five digits.`);
    send(who.value.trim(), where.value, form.querySelector(".primary"));
  } } },
  h("p", { className: "lead" }, "Any name will do. We send a code to the phone beside this."),
  h("label", { for: "login-name" }, "Your name"), who,
  h("label", { for: "login-number" }, "Your demo number"), h("div", { className: "with-step" }, where, other),
  problemLine(), h("button", { className: "primary wide" }, "Send me a code"));
  $("login-step").replaceChildren(form);
  who.focus();
  who.select();
}

async function send(name, number, press) {
  complain("");
  press.disabled = true;
  try {
    sent = { ...(await ask("POST", "/shop/api/login", { body: { name, number } })), name };
    askCode();
    listen();
  } catch (problem) {
    press.disabled = false;
    if (problem.code === "otp_locked") return complain("Too many wrong codes in a row: this number is locked. Take another one.");
    complain(problem.message.charAt(0).toUpperCase() + problem.message.slice(1) + ".");
    if (problem.wait) holdBack(press, problem.wait);
  }
}

/** A button that says how long it cannot be pressed. */
function holdBack(press, seconds) {
  const label = press.dataset.label ?? press.textContent;
  press.dataset.label = label;
  press.disabled = true;
  const until = Date.now() + seconds * 1000;
  clearInterval(countdown);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    press.disabled = left > 0;
    press.textContent = left > 0 ? `${label} in ${left} s` : label;
    if (left <= 0) clearInterval(countdown);
  };
  countdown = setInterval(tick, 500);
  tick();
}

function askCode() {
  const code = h("input", { id: "login-code", className: "code-input", required: true, inputMode: "numeric", maxLength: 6, autocomplete: "one-time-code", placeholder: "······", "aria-label": "The six digits" });
  code.addEventListener("input", () => {
    code.value = code.value.replace(/\D/g, "");
    if (code.value.length === 6) form.requestSubmit();
  });
  const again = h("button", { type: "button", className: "quiet", on: { click: () => send(sent.name, sent.number, again) } }, "Send a new code");
  const form = h("form", { noValidate: true, on: { submit: (event) => {
    event.preventDefault();
    if (!/^\d{6}$/.test(code.value)) return complain("A code has six digits.");
    verify(code.value, form.querySelector(".primary"));
  } } },
  h("p", { className: "lead" }, "A code is on its way to ", h("b", {}, sent.number), "."),
  h("label", { for: "login-code" }, "Your code"), code, problemLine(),
  h("button", { className: "primary wide" }, "Log in"), again);
  $("login-step").replaceChildren(form);
  holdBack(again, 30);
  code.focus();
}

function fill(code) {
  const input = $("login-code");
  if (!input) return;
  input.value = code;
  input.form.requestSubmit();
}

/** Ask for the number's messages until the dialog closes. */
async function listen() {
  waiting?.abort();
  const mine = (waiting = new AbortController());
  let after = sent.after;
  while (!mine.signal.aborted) {
    try {
      const page = await ask("GET", `/shop/api/phones/${encodeURIComponent(sent.number)}?after=${after}&wait=${WAIT_S}`, { signal: mine.signal });
      if (mine.signal.aborted) return;
      after = Math.max(after, page.last);
      phone.add(page.messages);
    } catch (problem) {
      if (mine.signal.aborted) return;
      complain(`The phone shows nothing: ${problem.message}.`);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  }
}

async function verify(code, press) {
  if (press.disabled) return;
  press.disabled = true;
  complain("");
  try {
    const body = { number: sent.number, challenge_id: sent.challenge_id, code };
    const found = await ask("POST", "/shop/api/login/verify", { body });
    session.begin({ ...found, number: sent.number, after: sent.after });
    const done = settle;
    settle = null;
    $("login").close();
    done?.(true);
    say(`Hello, ${found.name}.`);
  } catch (problem) {
    press.disabled = false;
    const known = {
      otp_wrong: "That is not the code, or it is over.",
      otp_exhausted: "That was one try too many. Ask for a new code.",
      otp_locked: "Too many wrong codes in a row: this number is locked.",
    };
    complain(known[problem.code] ?? problem.message);
    $("login-code").select();
  }
}

modal($("login"));
$("login").addEventListener("close", () => {
  waiting?.abort();
  clearInterval(countdown);
  settle?.(false);
  settle = null;
});
