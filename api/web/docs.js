// The API reference, drawn from /openapi.json. Text only ever goes in as text.
import { skeleton, sketch } from "/web/sketch.js";

const $ = (id) => document.getElementById(id);
const spec = await (await fetch("/openapi.json")).json();

document.title = `${spec.info.title} API ${spec.info.version}`;
$("about").textContent = spec.info.description;
$("token").value = sessionStorage.getItem("token") ?? "";
$("token").addEventListener("input", () => sessionStorage.setItem("token", $("token").value.trim()));

for (const [tag, operations] of byTag()) {
  const heading = element("h2", tag);
  heading.id = tag;
  const link = element("a", tag);
  link.href = `#${tag}`;
  $("contents").append(link);
  $("operations").append(heading, ...operations.map(draw));
}

function byTag() {
  const tags = new Map();
  for (const [path, methods] of Object.entries(spec.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      tags.set(tag, [...(tags.get(tag) ?? []), { method: method.toUpperCase(), path, operation }]);
    }
  return tags;
}

function draw({ method, path, operation }) {
  const made = $("operation").content.firstElementChild.cloneNode(true);
  const put = (selector, text) => (made.querySelector(selector).textContent = text);
  put(".method", method);
  made.querySelector(".method").dataset.method = method;
  put(".path", path);
  put(".brief", operation.description);
  put(".text", operation.description);
  put(".needs", needs(operation.security));
  const body = content(operation.requestBody);
  made.querySelector(".takes").hidden = !body;
  if (body) put(".takes pre", sketch(spec, body));
  for (const [status, answer] of Object.entries(operation.responses))
    made.querySelector(".gives dl").append(answerRow(status, answer));
  form(made.querySelector("form"), method, path, operation, body);
  return made;
}

function needs(security) {
  if (!security) return "Open to all.";
  const ways = security.map(({ bearer }) => (bearer.length ? `a service's token with scope ${bearer.join(", ")}` : "a user's token, for what is that user's"));
  return `Needs ${ways.join(", or ")}.`;
}

function content(part) {
  return part && Object.values(part.content ?? {})[0]?.schema;
}

function answerRow(status, answer) {
  const row = element("div", "");
  const schema = content(answer);
  const text = element("dd", status === "default" ? "anything else: problem details (RFC 9457)" : schema ? "" : answer.description);
  if (schema && status !== "default") text.append(element("pre", sketch(spec, schema)));
  row.append(element("dt", status === "default" ? "error" : status), text);
  return row;
}

function form(made, method, path, operation, body) {
  const inputs = (operation.parameters ?? []).map((parameter) => {
    const input = element("input", "");
    input.placeholder = parameter.name;
    input.ariaLabel = parameter.name;
    made.querySelector(".fields").append(input);
    return { ...parameter, input };
  });
  const area = made.querySelector("textarea");
  area.hidden = !body;
  if (body) area.value = JSON.stringify(skeleton(spec, body), null, 2);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    send(made, method, address(path, inputs), extras(inputs), body ? area.value : undefined);
  });
}

function address(path, inputs) {
  const query = new URLSearchParams();
  for (const { name, in: place, input } of inputs) {
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(input.value));
    if (place === "query" && input.value) query.set(name, input.value);
  }
  return query.size ? `${path}?${query}` : path;
}

function extras(inputs) {
  const headers = {};
  for (const { name, in: place, input } of inputs) if (place === "header" && input.value) headers[name] = input.value;
  if ($("token").value) headers.Authorization = `Bearer ${$("token").value.trim()}`;
  return headers;
}

async function send(made, method, target, headers, body) {
  const [output, shown] = [made.querySelector("output"), made.querySelector(".answer")];
  const began = performance.now();
  try {
    const answer = await fetch(target, { method, headers, body });
    const text = await answer.text();
    output.textContent = `${answer.status} in ${Math.round(performance.now() - began)} ms`;
    shown.textContent = pretty(text);
    shown.hidden = !text;
  } catch (error) {
    output.textContent = String(error);
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
