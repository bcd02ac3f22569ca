// What the page asks: the shop's back end under /shop/api, and Tocsin under /v1 with the shopper's own token.

import { session } from "/web/shop-state.js";

/** An answer that is an error: `code` is the problem's name, `wait` the seconds to wait before asking again. */
export class Problem extends Error {
  constructor(status, body, wait) {
    super(body.errors?.[0]?.detail ?? body.detail ?? body.title ?? "the shop does not answer");
    this.status = status;
    this.code = String(body.type ?? "").split(":").pop();
    this.wait = wait;
  }
}

export async function ask(method, path, { body, own = false, key, signal } = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (own) headers.Authorization = `Bearer ${session.now?.token}`;
  if (key) headers["Idempotency-Key"] = key;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(path, { method, headers, body: sent, signal }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "the shop does not answer; is it still running?" }, 0);
  });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  if (own && answer.status === 401) session.end();
  throw new Problem(answer.status, problem, Number(answer.headers.get("retry-after") ?? 0));
}
