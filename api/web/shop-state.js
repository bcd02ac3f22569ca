// What the page knows: who is logged in, what is sold and how much is left of it, the basket.

const told = new EventTarget();

/** Call back on "stock" (detail: the product), "products", "session", "waits" and "basket". */
export const on = (event, listener) => told.addEventListener(event, ({ detail }) => listener(detail));
const tell = (event, detail) => told.dispatchEvent(new CustomEvent(event, { detail }));

function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}

/** The shopper: {token, user_id, name, number, after}, or null. One per tab, so that two tabs are two people. */
export const session = {
  now: kept("shop-session"),
  begin(found) {
    session.now = found;
    sessionStorage.setItem("shop-session", JSON.stringify(found));
    tell("session", found);
  },
  end() {
    if (!session.now) return;
    session.now = null;
    sessionStorage.removeItem("shop-session");
    waits.set([]);
    tell("session", null);
  },
};

/** SKU to product; `available` is null until it is known. */
export const products = new Map();

export function stocked(found) {
  for (const product of found) {
    const known = products.get(product.sku)?.available ?? product.available; // the socket may have been first
    products.set(product.sku, { ...product, available: known });
  }
  tell("products");
}

export function stock(sku, available) {
  const product = products.get(sku);
  if (!product || product.available === available) return;
  product.available = available;
  tell("stock", product);
}

/** SKU to the shopper's own sign-up: {subscription_id, sku, channels, place, of}. */
export const waits = {
  of: new Map(),
  set(found) {
    waits.of = new Map(found.map((wait) => [wait.sku, wait]));
    tell("waits");
  },
};

/** SKU to quantity. */
export const basket = {
  lines: new Map(kept("shop-basket") ?? []),
  put(sku, quantity) {
    if (quantity > 0) basket.lines.set(sku, quantity);
    else basket.lines.delete(sku);
    sessionStorage.setItem("shop-basket", JSON.stringify([...basket.lines]));
    tell("basket");
  },
  clear() {
    basket.lines.clear();
    sessionStorage.removeItem("shop-basket");
    tell("basket");
  },
};

const FEW = 5;

/** A product's name, which no line breaks at a hyphen: T-light. */
export const named = ({ name }) => name.replaceAll("-", "\u2011");

/** {state, text} of what is left. */
export function left({ available }) {
  if (available === null || available === undefined) return { state: "unknown", text: "Counting…" };
  if (available <= 0) return { state: "out", text: "Sold out" };
  if (available <= FEW) return { state: "low", text: `Only ${available} left` };
  return { state: "in", text: `${available} left` };
}
