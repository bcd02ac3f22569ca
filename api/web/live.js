// The index page: totals once over HTTP, then every change over the WebSocket.
import { connect } from "/web/socket.js";
import { Figures, CHANNELS } from "/web/figures.js";
import { Feed } from "/web/feed.js";

const NAMES = { inapp: "In-app", push: "Push", sms: "SMS", email: "Email" };
const ICONS = {
  inapp: "M4 5h16v11H9l-5 4V5Z",
  push: "M12 3a6 6 0 0 0-6 6v4l-2 3.5h16L18 13V9a6 6 0 0 0-6-6ZM10 19.5a2.2 2.2 0 0 0 4 0",
  sms: "M8 2.5h8a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5ZM10.5 18.5h3",
  email: "M3 6h18v12H3V6Zm0 .5 9 6.5 9-6.5",
};
const SPARK = { width: 300, height: 72, seconds: 60 };
const TOTALS_EVERY_MS = 15_000;

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const figures = new Figures();
const feed = new Feed($("rows"), $("row"), NAMES);
const cards = new Map(CHANNELS.map((channel) => [channel, card(channel)]));

function card(channel) {
  const made = $("channel").content.firstElementChild.cloneNode(true);
  made.dataset.channel = channel;
  made.querySelector("h2").textContent = NAMES[channel];
  made.querySelector("path").setAttribute("d", ICONS[channel]);
  $("channels").append(made);
  return made;
}

function draw() {
  const second = performance.now() / 1000;
  for (const [channel, made] of cards) drawCard(made, figures.of(channel), figures.rate(second, channel));
  drawRate(figures.rate(second), figures.perSecond(second, SPARK.seconds));
  drawBalance(figures.all());
}

function drawCard(made, sums, rate) {
  const put = (selector, text) => (made.querySelector(selector).textContent = text);
  put(".big", number.format(sums.delivered));
  put(".rate", rate > 0 ? `${number.format(Math.round(rate))} / s` : "");
  for (const name of ["accepted", "flight", "failed", "rest"]) put(`[data-of=${name}]`, number.format(sums[name]));
  for (const name of ["delivered", "flight", "rest", "failed"])
    made.querySelector(`.split .${name}`).style.width = `${sums.accepted ? (100 * sums[name]) / sums.accepted : 0}%`;
}

function drawRate(rate, seconds) {
  $("rate").textContent = number.format(Math.round(rate));
  const peak = Math.max(...seconds, 1);
  const step = SPARK.width / (seconds.length - 1);
  const y = (n) => (SPARK.height - 3 - (n / peak) * (SPARK.height - 10)).toFixed(1);
  const line = "M" + seconds.map((n, i) => `${(i * step).toFixed(1)},${y(n)}`).join("L");
  $("spark-line").setAttribute("d", line);
  $("spark-area").setAttribute("d", `${line}L${SPARK.width},${SPARK.height}L0,${SPARK.height}Z`);
  $("peak").textContent = peak > 1 ? `peak ${number.format(peak)} / s` : "";
}

function drawBalance(sums) {
  const parts = [["accepted", "accepted"], ["delivered", "delivered"], ["flight", "in flight"], ["failed", "failed"], ["rest", "not sent"]];
  const line = $("balance");
  line.textContent = "";
  if (!sums.accepted) return;
  parts.forEach(([name, label], i) => {
    const value = document.createElement("b");
    value.textContent = number.format(sums[name]);
    line.append(i === 0 ? "" : i === 1 ? " = " : " + ", value, ` ${label}`);
  });
}

function show(state, text) {
  $("state").dataset.state = state;
  $("state").lastElementChild.textContent = text;
  $("key").hidden = state !== "locked";
}

function headers() {
  const token = sessionStorage.getItem("token");
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function totals() {
  const answer = await fetch("/v1/stats/totals", { headers: headers() });
  if (answer.ok) figures.start(await answer.json());
}

async function links() {
  const found = await (await fetch("/web/links.json")).json();
  const query = encodeURIComponent("SELECT * FROM tocsin.conservation FORMAT CSVWithNames");
  point("link-shop", found.shop);
  point("link-sandbox", found.sandbox && `${found.sandbox}/sandbox/journal`);
  point("link-clickhouse", found.clickhouse && `${found.clickhouse}/?query=${query}`);
}

function point(id, address) {
  $(id).hidden = !address;
  if (address) $(id).href = address;
}

const socket = connect({
  ticket: () => fetch("/v1/live-ticket", { headers: headers() }),
  opened: () => totals().catch(() => {}),
  frame: (frame) => {
    if (frame.op !== "live") return;
    figures.add(frame.counters, performance.now() / 1000);
    feed.add(frame.feed);
  },
  state: show,
});

$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  socket.now();
});
setInterval(draw, 250);
setInterval(() => socket.live() && totals().catch(() => {}), TOTALS_EVERY_MS);
$("origin").textContent = location.origin;
links().catch(() => {});
draw();
