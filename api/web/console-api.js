// What the console asks, with the token of whoever uses it. It is kept for this tab only.

/** An answer that is an error, as problem details (RFC 9457) tell it. `status` 0: nobody answered. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || `the answer was ${status}`);
    this.status = status;
    this.title = body.title ?? "That did not work";
    this.code = String(body.type ?? "").split(":").pop();
    this.errors = body.errors ?? [];
    this.incident = body.incident;
  }

  /** Whether a token, or a better one, is what is missing. */
  get locked() {
    return this.status === 401 || this.status === 403;
  }
}

export const session = {
  get token() {
    return sessionStorage.getItem("token") ?? "";
  },
  set token(value) {
    if (value) sessionStorage.setItem("token", value);
    else sessionStorage.removeItem("token");
  },
};

/** Take `#token=…` out of the address at once, before anything else can see it. */
export function takeToken() {
  const found = /^#token=([^&]*)&?(.*)$/.exec(location.hash);
  if (!found) return;
  session.token = decodeURIComponent(found[1]).trim();
  history.replaceState(null, "", found[2].startsWith("/") ? `#${found[2]}` : "#/overview");
}

export const headers = () => (session.token ? { Authorization: `Bearer ${session.token}` } : {});

/** An address with what is not empty of `params`. */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  return query.size ? `${path}?${query}` : path;
}

export const get = (path, params) => call("GET", address(path, params));
export const post = (path, body) => call("POST", path, body);

async function call(method, path, body) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const kind = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers: { ...headers(), ...kind }, cache: "no-store", ...sent }).catch(() => {
    throw new Problem(0, { title: "Tocsin does not answer", detail: "The console asks again by itself; `tocsin status` tells what runs." });
  });
  const read = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, read);
  return read;
}
