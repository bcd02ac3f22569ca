// One notification's way, channel by channel: every look at it, its steps in plain words, how it ended.
import { h } from "/web/console-dom.js";
import { channelName, local, span, time, words } from "/web/console-format.js";
import { icon, shape, state, toneOf } from "/web/console-icons.js";
import { nothing, panel, since } from "/web/console-parts.js";
import { conclude, decisive, explainReason, explainStep } from "/web/console-words.js";

/** Of an answer of GET /v1/notifications/{id}. */
export function path(found) {
  const channels = Object.entries(found.channels);
  return [
    head(found),
    !found.complete && h("p", { class: "stale" }, icon("away"), "ClickHouse is away: this is what the senders remember. The steps come back with it."),
    found.dead && dead(found),
    channels.length > 0 && h("div", { class: "ways-grid" }, channels.map(([channel, status]) => way(channel, status, found.accepted_at))),
    !channels.length && !found.dead && panel({}, nothing("Accepted, and not decided yet", "The router has not looked at it. This page keeps looking.")),
  ];
}

function head(found) {
  const copy = () => navigator.clipboard?.writeText(found.notification_id);
  return panel({ key: "head", kind: "path-head" },
    h("h2", {}, words(found.type)),
    h("dl", { class: "facts wide" },
      h("div", {}, h("dt", {}, "to"), h("dd", {}, found.user_id ? h("a", { href: `#/trace/u/${encodeURIComponent(found.user_id)}` }, found.user_id) : "not known")),
      found.accepted_at && h("div", {}, h("dt", {}, "accepted"), h("dd", {}, since(found.accepted_at))),
      h("div", {}, h("dt", {}, "id"), h("dd", {}, h("code", {}, found.notification_id), " ", h("button", { type: "button", class: "link", on: { click: copy } }, "copy")))));
}

function dead({ dead: letter }) {
  return panel({ key: "dead" }, h("div", { class: "trouble", role: "alert" }, icon("away"), h("div", {}, h("b", {}, "It became a dead letter"), h("p", {}, letter.field && [h("code", {}, letter.field), ": "], letter.reason), h("p", {}, time(letter.at), " · ", h("a", { href: "#/dead" }, "Look at the dead letters")))));
}

function way(channel, status, accepted) {
  const version = status.template_id && `${status.template_id} ${status.template_version ? `version ${status.template_version}` : "(bundled words)"}`;
  return h("section", { class: "panel way", key: channel, "data-channel": channel, "aria-label": channelName(channel) },
    h("header", {}, icon(channel), h("h3", {}, channelName(channel)), state(status.state)),
    h("p", { class: "conclusion" }, conclude(status, accepted)),
    h("ol", { class: "timeline" }, (status.trace ?? []).map((look, i, all) => lookAt(look, i ? all[i - 1].at : null, status))),
    h("footer", { class: "soft" }, [version && h("span", {}, "Words: ", h("a", { href: `#/templates/${encodeURIComponent(status.template_id)}` }, version)), status.provider_message_id && h("span", { title: status.provider_message_id }, "Known to the provider as ", h("code", { class: "clip" }, status.provider_message_id))]));
}

const TITLES = {
  accepted: "Accepted and decided", deferred: "Put off", routed: "Decided again", retry: "Tried, in vain", acked: "A device has it",
  delivered: "Delivered", failed: "Given up", suppressed: "Not sent", expired: "Too late", cancelled: "Not needed",
};

function lookAt(look, before, status) {
  const [steps, until] = [look.steps ?? [], look.due_at];
  const passed = before && Date.parse(look.at) - Date.parse(before);
  return h("li", { key: `${look.at} ${look.state}`, "data-tone": toneOf(look.state) },
    h("div", { class: "at" }, shape(toneOf(look.state)), h("b", {}, TITLES[look.state] ?? words(look.state)), time(look.at), passed > 0 && h("span", { class: "soft" }, `+${span(passed)}`)),
    (look.attempt > 1 || look.state === "retry") && h("p", {}, `Attempt ${look.attempt}.`),
    look.reason && h("p", { class: "because" }, because(look, status)),
    until && h("p", {}, "Looked at again ", time(until, (ms) => `at ${local(ms)}`), "."),
    steps.length > 0 && h("ul", { class: "steps" }, steps.map((step) => h("li", { key: step.step, class: decisive(step) ? "decisive" : "", title: `${step.step}=${step.result}` }, explainStep(step)))));
}

function because({ reason, state: at }, { provider }) {
  const said = explainReason(reason);
  if (said !== reason) return `Because ${said}.`;
  return at === "retry" || at === "failed" ? `${provider || "The provider"} said: ${reason}` : reason;
}
