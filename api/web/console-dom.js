// A page as a function of what is known: elements are described, held against those that are there, and only what
// differs is touched. So nothing flickers, and focus, selection and scrolling stay. Text goes in as text, always.

const SVG = "http://www.w3.org/2000/svg";
const LIVE = new Set(["value", "checked", "disabled", "hidden", "open", "selected", "indeterminate"]);
const BEFORE = Symbol("what it was made from");
const LISTENERS = Symbol("listeners");

/**
 * An element. Of `props`: `key` recognises it among its siblings, `on` are listeners, `style` goes through the CSSOM,
 * `hook` is called with the element whenever it is drawn, `own` leaves its children alone; all else are attributes.
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, key: props?.key, children: flat(children) };
}

function flat(children) {
  return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false && each !== "");
}

/** Make the children of `host` what is described. */
export function render(host, ...children) {
  patch(host, flat(children));
}

function patch(host, wanted) {
  const keys = new Set(wanted.map((each) => each.key).filter((key) => key !== undefined));
  const there = new Map();
  for (const node of [...host.childNodes]) {
    const key = node[BEFORE]?.key;
    if (key === undefined) continue;
    if (keys.has(key)) there.set(key, node);
    else node.remove(); // first, so that those after it need not move
  }
  let next = host.firstChild;
  for (const want of wanted) {
    const node = typeof want === "object" ? element(host, want, next, there) : text(host, String(want), next);
    if (node !== next) host.insertBefore(node, next);
    if (typeof want === "object") update(node, want);
    next = node.nextSibling;
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function text(host, said, next) {
  if (next?.nodeType !== 3) return document.createTextNode(said);
  if (next.data !== said) next.data = said;
  return next;
}

function element(host, want, next, there) {
  const found = want.key === undefined ? next : there.get(want.key);
  const fits = found?.nodeType === 1 && found.localName === want.tag && found[BEFORE]?.key === want.key;
  if (fits) return found;
  if (want.tag === "svg" || host.namespaceURI === SVG) return document.createElementNS(SVG, want.tag);
  return document.createElement(want.tag);
}

function update(node, want) {
  const before = node[BEFORE];
  if (before === want) return;
  node[BEFORE] = want;
  if (!want.props.own) patch(node, want.children); // before `value`, which a <select> takes from its options
  const names = new Set([...Object.keys(before?.props ?? {}), ...Object.keys(want.props)]);
  for (const name of names) set(node, name, want.props[name], before?.props[name]);
  want.props.hook?.(node);
}

function set(node, name, value, before) {
  if (name === "key" || name === "hook" || name === "own") return;
  if (name === "on") return listen(node, value ?? {});
  if (name === "style") return paint(node, value ?? {}, before ?? {});
  if (LIVE.has(name)) return live(node, name, value === undefined && typeof before === "boolean" ? false : value);
  if (value === before) return;
  if (value === undefined || value === null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}

function live(node, name, value) {
  if (value !== undefined && node[name] !== value) node[name] = value;
}

function listen(node, listeners) {
  const known = (node[LISTENERS] ??= {});
  for (const event of Object.keys(listeners))
    if (!(event in known)) node.addEventListener(event, (happened) => node[LISTENERS][event]?.(happened));
  for (const event of Object.keys(known)) known[event] = listeners[event];
  Object.assign(known, listeners);
}

function paint(node, style, before) {
  for (const name of Object.keys(before)) if (!(name in style)) node.style.removeProperty(name);
  for (const [name, value] of Object.entries(style)) if (before[name] !== value) node.style.setProperty(name, value);
}

/** What `make` gives, made again only when one of its arguments is another: then nothing below is looked at. */
export function memo(make) {
  let args = [];
  let made;
  return (...given) => {
    if (made === undefined || given.length !== args.length || given.some((each, i) => each !== args[i]))
      [made, args] = [make(...given), given];
    return made;
  };
}
