// Why did I, or didn't I, get this? Decisions and reasons in plain language. Pure.
import { channelName, span, words } from "/web/console-format.js";

const LANES = { high: "the fast lane, ahead of campaigns", normal: "the normal lane", low: "the slow lane, behind everything urgent" };
const WAITS = { quiet_hours: "quiet hours", send_at: "the time it was asked for", digest: "its digest", escalation: "the next step of its cascade", retry: "another try" };
const UNLESS = { acked: "a device acknowledges it in the app", read: "it is read in the app" };

const STEPS = {
  rules: (id) => `Decided under the rules ${id}.`,
  category: (name) => `It counts as ${words(name).toLowerCase()}: that is what preferences switch.`,
  lane: (lane) => `Taken from ${LANES[lane] ?? lane}.`,
  cancelled: () => "It had been taken back.",
  dedupe: (result) => (result === "duplicate" ? "The same one had been sent already, so this one is not." : "Nobody sent the same before."),
  user: (result) => (result === "unknown" ? "Nobody is registered under this user id." : `The person is ${result}.`),
  expiry: (result) => (result === "over" ? "It had expired before it could be decided." : result.startsWith("before_") ? `It would expire before ${WAITS[result.slice(7)] ?? result.slice(7)} is over.` : "It had not expired."),
  unless: (result) => (result.endsWith(":happened") ? `Not needed any more: ${UNLESS[result.slice(0, -9)]?.replace("acknowledges", "acknowledged").replace("is read", "was read") ?? result}.` : `To be sent unless ${UNLESS[result] ?? result}.`),
  woken: (why) => `Looked at again after ${WAITS[why] ?? why}.`,
  send_at: () => "It was asked for later than this, so it waits.",
  opt_out: (result) => (result === "no" ? "The person has not opted out." : "The person has opted out of everything but security."),
  muted: (result) => (result === "no" ? "The person has not muted this category here." : "The person has muted this category on this channel."),
  address: (result) => (result === "yes" ? "There is an address to send it to." : "There is no address: no device, phone number or mailbox is registered."),
  words: () => "The template has no words for this channel.",
  quiet: (result) => ({ yes: "It is the person’s quiet hours, so it waits until they end.", no: "It is outside the person’s quiet hours.", passed: "Critical: quiet hours do not hold it." })[result],
  digest: () => "Collected, to be told together with others.",
  strategy: (name) => ({ all: "Sent on every channel at once.", first: "Sent on the first channel on which the person can be reached.", cascade: "In the app first; elsewhere only as long as nobody sees it there." })[name],
  cap: (result) => cap(result),
};

function cap(result) {
  const [name, value] = [result.slice(0, result.lastIndexOf(":")), result.slice(result.lastIndexOf(":") + 1)];
  const what = name === "all" ? "messages" : `${words(name).toLowerCase()} messages`;
  if (value === "reached") return `The person has had as many ${what} as the cap allows.`;
  return `Within the cap: ${value.replace("/", " of ")} ${what} in its time.`;
}

/** One decision step as a sentence; steps of a later release are told as they are. */
export const explainStep = ({ step, result }) => STEPS[step]?.(result) ?? `${words(step)}: ${result || "yes"}.`;

/** Whether a step is what made the difference. */
export function decisive({ step, result }) {
  const passed = { opt_out: "no", muted: "no", address: "yes", quiet: "no", strategy: "all" };
  if (["rules", "category", "lane", "woken"].includes(step)) return false;
  if (step === "cap") return result.endsWith(":reached");
  if (step === "quiet" && result === "passed") return false;
  return passed[step] !== result;
}

const REASONS = {
  opted_out: "the person has opted out",
  muted: "the person has muted this category on this channel",
  no_address: "no address is known for this channel",
  no_words: "the template has no words for this channel",
  no_provider: "no provider is set up for this channel",
  duplicate: "the same one had been sent already",
  cancelled: "it was taken back",
  unknown_user: "nobody is registered under this user id",
  expired_before_routing: "it had expired before it could be decided",
  expires_before_it_may_be_sent: "it would have expired before it may be sent",
  acked: "a device had it in the app already",
  read: "it had been read in the app already",
  quiet_hours: "of quiet hours",
  send_at: "it is asked for at a later time",
  digest: "it is collected for a digest",
  escalation: "it is sent only if nobody sees it in the app",
};

/** A reason in words, for after "because". */
export function explainReason(reason) {
  if (REASONS[reason]) return REASONS[reason];
  const [kind, ...rest] = reason.split(":");
  if (kind === "first") return `it went by ${channelName(rest[0])} instead, where the person is reached first`;
  if (kind === "capped") return `the person has had as many ${rest[0] === "all" ? "messages" : `${words(rest[0]).toLowerCase()} messages`} as the cap allows`;
  return reason;
}

/** What became of it on a channel, in one sentence. `accepted` is when it began. */
export function conclude(status, accepted) {
  const took = status.at && accepted ? Date.parse(status.at) - Date.parse(accepted) : null;
  const why = status.reason ? ` because ${explainReason(status.reason)}` : "";
  const said = { failed: "Could not be delivered", suppressed: "Not sent", expired: "Not sent in time", cancelled: "Not sent" }[status.state];
  if (status.state === "delivered") return `Delivered${status.provider ? ` by ${status.provider}` : ""}${took === null ? "" : `, ${span(took)} after it was accepted`}.${status.reason ? ` Then: ${status.reason}.` : ""}`;
  if (said) return `${said}${status.reason && !REASONS[status.reason] && !/^(first|capped):/.test(status.reason) ? `: ${status.reason}` : why}.`;
  if (status.state === "deferred") return `Waits${why}.`;
  if (status.state === "retrying") return `An attempt failed${status.reason ? ` (${status.reason})` : ""}; it is tried again.`;
  return status.state === "sending" ? "Being sent right now." : "On its way.";
}
