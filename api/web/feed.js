// The list of what was just delivered. Text only ever goes in as text.

const MOST = 24;
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class Feed {
  #rows;
  #template;
  #names;
  #held = [];

  constructor(rows, template, names) {
    [this.#rows, this.#template, this.#names] = [rows, template, names];
    rows.addEventListener("mouseleave", () => this.#show());
    rows.addEventListener("blur", () => this.#show());
  }

  /** New entries, oldest first. While somebody reads the list it stands still. */
  add(entries) {
    this.#held = this.#held.concat(entries).slice(-MOST);
    if (!this.#rows.matches(":hover, :focus")) this.#show();
  }

  #show() {
    for (const entry of this.#held) this.#rows.prepend(this.#row(entry));
    this.#held = [];
    while (this.#rows.childElementCount > MOST) this.#rows.lastElementChild.remove();
  }

  #row(entry) {
    const made = this.#template.content.firstElementChild.cloneNode(true);
    const put = (selector, text) => (made.querySelector(selector).textContent = text);
    made.classList.add("new");
    put("time", TIME.format(new Date(entry.at)));
    put(".chip", this.#names[entry.channel] ?? entry.channel);
    made.querySelector(".chip").dataset.channel = entry.channel;
    put(".type", words(entry.type));
    put(".user", entry.user);
    put(".via", entry.provider ? `via ${entry.provider}` : "");
    put(".end", entry.reason ? `${entry.state}: ${entry.reason}` : entry.state);
    made.querySelector(".end").dataset.state = entry.state;
    return made;
  }
}

/** BACK_IN_STOCK as "Back in stock". */
function words(type) {
  if (type === "OTP") return "One-time code";
  const text = type.replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
