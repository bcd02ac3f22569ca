// Restocks: who was told of each, and what came of it.
import { get } from "/web/console-api.js";
import { shares } from "/web/console-bars.js";
import { h } from "/web/console-dom.js";
import { count, percent } from "/web/console-format.js";
import { from, panel, since, table } from "/web/console-parts.js";
import { Source } from "/web/console-source.js";

export const waves = { title: "Restocks", open: (page) => new Waves(page) };

class Waves {
  #source;

  constructor(page) {
    this.#source = new Source(() => get("/v1/ops/waves", { limit: 100 }), 10_000, page.redraw);
  }

  close() {
    this.#source.close();
  }

  draw() {
    const empty = ["No restock has told anybody yet", "When something that people wait for comes back, its wave is listed here. In the demo: sign up for a sold-out product in the shop, and restock it behind the counter."];
    return [
      h("h1", { tabindex: -1 }, "Restocks"),
      h("p", { class: "lead-in" }, "A wave is everybody who waited for a product, told when it came back. People are counted, whatever their channels."),
      panel({ key: "waves" }, from(this.#source, draw, { rows: 8, empty })),
    ];
  }
}

function draw({ waves: rows }) {
  if (!rows.length) return null;
  const most = Math.max(...rows.map(({ told }) => told), 1);
  const columns = [
    { title: "Product", cell: ({ sku }) => h("code", { class: "strong" }, sku) },
    { title: "Back since", cell: ({ at }) => since(at) },
    { title: "In stock", kind: "number", cell: ({ available }) => count(available) },
    { title: "Told", kind: "number", cell: ({ told }) => h("b", {}, count(told)) },
    { title: "What became of it", kind: "wide", cell: (row) => reach(row, most) },
    { title: "Delivered", kind: "number", cell: ({ delivered }) => count(delivered) },
    { title: "Failed", kind: "number", cell: ({ failed }) => h("span", { class: failed > 0 ? "bad" : "soft" }, count(failed)) },
    { title: "Clicked", kind: "number", cell: (row) => [count(row.clicked), row.told > 0 && row.clicked > 0 && h("span", { class: "soft" }, ` ${percent(row.clicked / row.told)}`)] },
    { title: "Still waiting", kind: "number", cell: ({ waiting }) => count(waiting) },
  ];
  return table({ columns, rows, keyOf: ({ sku, at }) => `${sku} ${at}`, label: "Restocks" });
}

/** How many were told, as length; and how it went, as parts of it: what is left is on its way, or was not sent. */
function reach({ told, delivered, failed, clicked }, most) {
  const parts = [
    { name: "clicked", label: "clicked", value: Math.min(clicked ?? 0, delivered) },
    { name: "delivered", label: "delivered", value: delivered - Math.min(clicked ?? 0, delivered) },
    { name: "failed", label: "failed", value: failed },
  ];
  return h("div", { class: "reach", style: { width: `${Math.max(6, (100 * told) / most)}%` } }, shares(parts, told));
}
