// A drawn phone, and what arrived on it.

import { h } from "/web/shop-dom.js";

const APPS = { sms: "Messages", push: "Tocsin Shop", email: "Mail" };
const CODE = /(?<!\d)\d{6}(?!\d)/;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** The code in a message about one; an order's number is none. */
export function codeIn({ type, text }) {
  return type === "OTP" || /\bcode\b/i.test(text) ? (text.match(CODE)?.[0] ?? null) : null;
}

/** A mail's first paragraphs, as a list of mails shows them: no greeting, no footer. */
function firstOf(text) {
  const paragraphs = text.split(/\n\s*\n/).map((part) => part.replace(/\s+/g, " ").trim()).filter(Boolean);
  const said = /,$/.test(paragraphs[0] ?? "") ? paragraphs.slice(1) : paragraphs;
  return said.slice(0, 2).join("\n");
}

/** A phone in `host`. With `useCode` a message that brings a code has a button for it. */
export class Phone {
  constructor(host, { useCode, caption } = {}) {
    this.useCode = useCode;
    this.screen = h("ol", { className: "screen", tabIndex: 0, "aria-label": "Messages on this phone, newest first" });
    this.blank = h("p", { className: "blank" }, "No messages yet");
    this.time = h("time", {}, clock.format(Date.now()));
    host.append(h("div", { className: "handset" },
      h("div", { className: "status" }, this.time, h("i", { className: "island" }), h("span", { className: "bars" })),
      this.blank, this.screen),
    h("p", { className: "caption" }, caption ?? ""));
    this.caption = host.lastElementChild;
  }

  /** Messages oldest first; each is shown on top of those before. */
  add(messages, fresh = true) {
    for (const message of messages) this.screen.prepend(this.#message(message, fresh));
    while (this.screen.children.length > 30) this.screen.lastElementChild.remove();
    this.blank.hidden = this.screen.children.length > 0;
    this.time.textContent = clock.format(Date.now());
  }

  clear() {
    this.screen.replaceChildren();
    this.blank.hidden = false;
  }

  #message(message, fresh) {
    const { channel, title, text, at } = message;
    const code = this.useCode && codeIn(message);
    return h("li", { className: fresh ? "note new" : "note", data: { channel } },
      h("p", { className: "from" }, h("i"), h("span", {}, APPS[channel] ?? channel), h("time", {}, clock.format(at * 1000))),
      title ? h("b", {}, title) : null,
      h("p", { className: "text" }, channel === "email" ? firstOf(text) : text.trim()),
      code ? h("button", { type: "button", className: "use", on: { click: () => this.useCode(code) } }, `Use ${code}`) : null);
  }
}
