// Making elements: text goes in as text, always.

/** An element: `props` are properties, `data` its dataset, `on` listeners, others (with a dash, or role) attributes. */
export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const $ = (id) => document.getElementById(id);

/** Text only where it differs: a screen reader hears changes, and nothing is drawn for nothing. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const pounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
export const money = (amount) => pounds.format(Number(amount));

/** Tell whoever looks or listens, for a few seconds. */
export function say(text, kind = "good") {
  const line = h("p", { className: "said", data: { kind } }, text);
  const host = $("said");
  if (host.matches(":popover-open") && document.querySelector("dialog[open]")) host.hidePopover(); // above the dialog, too
  if (!host.matches(":popover-open")) host.showPopover();
  host.replaceChildren(line);
  setTimeout(() => line.remove(), 6_000);
}

/** An id nobody else has; `crypto.randomUUID` exists on secure pages only. */
export function freshId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A modal <dialog> that closes by its button, by Escape and by a click beside it. */
export function modal(dialog) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  return dialog;
}
