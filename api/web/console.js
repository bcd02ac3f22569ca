// The operations console: where one is, what is drawn, who may.
import { analytics } from "/web/console-analytics.js";
import { get, session, takeToken } from "/web/console-api.js";
import { onChart } from "/web/console-chart.js";
import { dead } from "/web/console-dead.js";
import { h, render } from "/web/console-dom.js";
import { count } from "/web/console-format.js";
import { icon } from "/web/console-icons.js";
import { Live } from "/web/console-live.js";
import { overview } from "/web/console-overview.js";
import { askToken, tell } from "/web/console-parts.js";
import { askAll, Source } from "/web/console-source.js";
import { templates } from "/web/console-templates.js";
import { trace } from "/web/console-trace.js";
import { waves } from "/web/console-waves.js";
import { $ } from "/web/shop-dom.js";

const VIEWS = { overview, waves, dead, trace, templates, analytics };
const AWAY = {
  kafka: ["Kafka is away", "Requests are refused until it is back; whoever asks is told to try again. Nothing accepted is lost. Next: start Kafka, then look at tocsin status."],
  redis: ["Redis is away", "Deliveries wait and are sent when it is back; inboxes and one-time codes answer 503. Next: start it. If it comes back empty: tocsin rebuild."],
  clickhouse: ["ClickHouse is away", "Figures come back when it does; sending goes on, and what happens meanwhile waits in Kafka. Next: start ClickHouse, then look at tocsin status."],
};

takeToken();
let drawing = 0;
let charts = 0;
let current = { kind: null, view: null };

const page = {
  overview: new Source(() => get("/v1/ops/overview"), 5_000, came),
  live: new Live((why) => (why === "state" || current.view?.live ? redraw() : null)),
  redraw,
  /** Changes whenever a chart wants to be drawn anew. */
  drawn: () => charts,
  /** Go to an address of the console; `instead` leaves no way back to where one was. */
  go(hash, instead = false) {
    if (!instead) return void (location.hash = hash);
    history.replaceState(null, "", hash);
    arrive();
  },
};

function redraw() {
  drawing ||= requestAnimationFrame(draw);
}

function came() {
  page.live.start(page.overview.data);
  redraw();
}

/** #/view/part/part?name=value */
function read(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...parts] = path.split("/").map(part);
  return { name: name in VIEWS ? name : "overview", parts: parts.filter(Boolean), params: new URLSearchParams(query) };
}

function part(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no escape of ours
  }
}

function arrive() {
  const route = read(location.hash);
  const kind = VIEWS[route.name];
  if (kind === current.kind) {
    current.view.move?.(route);
  } else {
    const first = current.kind === null;
    current.view?.close();
    current = { kind, name: route.name, view: null };
    current.view = kind.open(page, route);
    draw();
    scrollTo(0, 0);
    if (!first) $("view").querySelector("h1")?.focus({ preventScroll: true });
  }
  document.title = `${kind.title} · Tocsin`;
  redraw();
}

function draw() {
  cancelAnimationFrame(drawing);
  drawing = 0;
  const { overview: source, live } = page;
  const locked = source.problem?.locked && source.data === null;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.dataset.view === current.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const waiting = source.data?.dead?.open ?? 0;
  render($("dead-count"), waiting > 0 ? count(waiting) : "");
  drawConnection(source, live);
  render($("banners"), banners(source, live));
  if (!current.view) return;
  render($("view"), locked ? h("div", { class: "sign-in panel", key: "sign in" }, h("h1", {}, "Tocsin console"), askToken(source.problem, "Sign in with a token")) : h("div", { class: "view", key: current.name }, current.view.draw()));
}

function drawConnection(source, live) {
  const gone = source.problem?.status === 0;
  const [kind, text] = gone ? ["waiting", "no answer"] : [live.state, live.state === "waiting" ? `reconnecting, ${live.text}` : live.text];
  $("state").dataset.state = kind;
  render($("state-text"), text);
  $("sign-out").hidden = !session.token;
}

function banners(source, live) {
  const found = Object.entries(source.data?.engines ?? {}).filter(([, there]) => there === false).map(([engine]) => AWAY[engine] ?? [`${engine} is away`, "Look at tocsin status."]);
  if (source.problem?.status === 0) found.unshift([source.problem.title, source.problem.message]);
  if (source.data && live.state === "waiting") found.push(["The live connection is down", `Figures are asked for every 5 seconds meanwhile; ${live.text}.`]);
  return found.map(([title, text]) => h("div", { class: "banner", key: title, role: "alert" }, icon("away"), h("b", {}, title), h("span", {}, text)));
}

function tokenCame() {
  current.view?.unlocked?.();
  askAll();
  if (page.live.state !== "live") page.live.now();
  redraw();
}

onChart(() => (charts++, redraw()));
document.addEventListener("token", tokenCame);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment is the address of a view
  $("view").querySelector("h1")?.focus();
});
$("sign-out").addEventListener("click", () => {
  session.token = "";
  location.reload();
});
addEventListener("hashchange", () => {
  const before = session.token;
  takeToken();
  if (session.token !== before) [tell("Signed in"), tokenCame()];
  arrive();
});
addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (current.name !== "trace") page.go("#/trace", true);
  $("search")?.focus();
});
setInterval(() => document.hidden || redraw(), 1_000);
arrive();
