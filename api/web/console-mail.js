// A mail as it would look, without anything of it running or being loaded: its HTML is read as a document of its own,
// and what is only words, boxes and colours is built anew in a frame in which no script can run.

const KEPT = new Set("a abbr address article aside b bdi bdo blockquote br caption center cite code col colgroup dd del div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i ins li main mark ol p pre q s section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul".split(" "));
const INSIDE = new Set(["html", "body", "form", "label", "button"]); // what is in them is shown, they are not
const ATTRIBUTES = new Set("align bgcolor border cellpadding cellspacing class colspan color dir face height lang role rowspan size start title valign width".split(" "));
const OUTSIDE = /url\s*\(|image-set|expression|@import/i;
const [LEAST, MOST] = [160, 560]; // pixels
const BASE = "body{margin:16px;font:15px/1.5 system-ui,sans-serif;background:#fff;color:#1d1b18;overflow-wrap:break-word}a,[data-link]{color:#0b63ce;text-decoration:underline;cursor:help}[data-image]{display:inline-block;padding:2px 8px;border:1px dashed #aaa;color:#777;font-size:12px}";

/** Show `html` in `frame`, an <iframe sandbox="allow-same-origin">: that lets us in, and no script. */
export function showMail(frame, html) {
  if (frame.shown === html) return;
  frame.shown = html;
  const fill = () => frame.contentDocument?.body && put(frame.contentDocument, html);
  frame.onload = fill; // some browsers put the empty document in later
  fill();
}

function put(target, html) {
  const { css, rest } = apart(html);
  const source = new DOMParser().parseFromString(rest, "text/html");
  target.adoptedStyleSheets = [BASE, ...css].map((text) => sheet(target, text));
  target.body.replaceChildren(...children(target, source.body));
  dress(target.body, source.body);
  const { style } = target.defaultView.frameElement;
  style.height = `${LEAST}px`; // else it is as high as it was
  style.height = `${Math.min(MOST, Math.max(LEAST, target.documentElement.scrollHeight, target.body.scrollHeight + 2))}px`;
}

/**
 * Styles, and what could run, out of the text before it is read: Chromium holds them against the page's policy, and
 * complains, as soon as they are parsed. What this misses is still nothing that `children` would keep.
 */
function apart(html) {
  const css = [];
  const rest = html
    .replace(/<style\b[^>]*>([^]*?)<\/style\s*>/gi, (_, text) => (css.push(text), ""))
    .replace(/<script\b[^]*?<\/script\s*>/gi, "")
    .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/([\s"'/])(style|on\w+)(\s*=)/gi, "$1data-$2$3"));
  return { css, rest };
}

function sheet(target, text) {
  const made = new target.defaultView.CSSStyleSheet();
  made.replaceSync(text.replace(/@import[^;]*;?/gi, ""));
  for (const rules of [made.cssRules, ...[...made.cssRules].map((rule) => rule.cssRules ?? [])])
    for (const rule of rules) if (rule.style) harmless(rule.style);
  return made;
}

function harmless(style) {
  for (const name of [...style]) if (OUTSIDE.test(style.getPropertyValue(name))) style.removeProperty(name);
}

function children(target, from) {
  return [...from.childNodes].flatMap((node) => {
    if (node.nodeType === 3) return [target.createTextNode(node.data)];
    if (node.nodeType !== 1) return [];
    if (node.localName === "img") return image(target, node);
    if (INSIDE.has(node.localName)) return children(target, node);
    if (!KEPT.has(node.localName)) return [];
    const made = target.createElement(node.localName);
    dress(made, node);
    made.append(...children(target, node));
    return [made];
  });
}

function dress(made, from) {
  for (const { name, value } of from.attributes) if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  made.style.cssText = from.dataset.style ?? "";
  harmless(made.style);
  const link = from.localName === "a" && from.getAttribute("href");
  if (link) [(made.dataset.link = ""), (made.title = link)];
}

/** Where an image would be: nothing is loaded. One of a point's size is a pixel that counts openings. */
function image(target, node) {
  if (Number(node.getAttribute("width")) <= 1 && node.hasAttribute("width")) return [];
  const made = target.createElement("span");
  made.dataset.image = "";
  made.title = node.getAttribute("src") ?? "";
  made.textContent = node.getAttribute("alt") || "image";
  return [made];
}
