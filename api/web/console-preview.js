// What a message looks like where it arrives: a lock screen, a bubble, the inbox, a mail.
import { h } from "/web/console-dom.js";
import { bytes, channelName, count } from "/web/console-format.js";
import { icon } from "/web/console-icons.js";
import { showMail } from "/web/console-mail.js";
import { choice } from "/web/console-parts.js";

let mailAs = "html";

/** Of an answer of POST /v1/templates/{id}:preview. */
export function said({ channels, silent }, redraw) {
  const draw = { push, sms, inapp, email };
  const shown = Object.entries(channels).map(([channel, it]) =>
    h("article", { class: "panel preview", key: channel, "data-channel": channel, "aria-label": channelName(channel) },
      h("header", {}, icon(channel), h("h3", {}, channelName(channel)), h("span", { class: "soft" }, it.locale), h("span", { class: "aside soft" }, size(it))),
      it.problem ? h("p", { class: "wrong", role: "alert" }, `Cannot be sent: ${it.problem}`) : draw[channel](it, redraw),
      it.warnings?.length > 0 && h("ul", { class: "warnings" }, it.warnings.map((each) => h("li", {}, each)))));
  return [shown, silent.length > 0 && h("p", { class: "soft", key: "silent" }, `No words, so not sent: ${silent.map(channelName).join(", ")}.`)];
}

function size({ bytes: n, max_bytes: most, encoding, units, parts }) {
  if (parts !== undefined) return `${encoding}, ${count(units)} units, ${parts === 1 ? "1 part" : `${parts} parts`}`;
  return n === undefined ? "" : `${bytes(n)}${most ? ` of ${bytes(most)}` : ""}`;
}

const link = ({ link: to }) => to && h("p", { class: "target" }, to);
const phone = (...inside) => h("div", { class: "phone" }, h("div", { class: "clock", "aria-hidden": "true" }, "9:41"), inside);

const push = (it) => phone(h("div", { class: "bubble push" }, h("span", { class: "app" }, icon("push"), "your shop", h("span", { class: "soft" }, "now")), it.title && h("b", {}, it.title), h("p", {}, it.text), link(it)));
const sms = (it) => phone(h("div", { class: "bubble sms" }, h("p", {}, it.text)));
const inapp = (it) => h("div", { class: "inbox-item" }, h("i", {}), h("div", {}, it.title && h("b", {}, it.title), h("p", {}, it.text), link(it)));

function email(it, redraw) {
  const pick = (as) => ((mailAs = as), redraw());
  const html = mailAs === "html" && it.html;
  return h("div", { class: "mail" },
    h("div", { class: "subject" }, h("div", {}, h("span", { class: "soft" }, "Subject "), h("b", {}, it.title)), it.html && choice("Show the mail as", [["html", "HTML"], ["text", "Text"]], mailAs, pick)),
    html ? h("iframe", { key: "html", class: "mail-frame", title: "The mail as HTML", sandbox: "allow-same-origin", own: true, hook: (frame) => showMail(frame, html) }) : h("pre", { key: "text", class: "mail-text" }, it.text));
}
