// Lets Node resolve what the pages import from "/web/…".
import { register } from "node:module";

const hooks = `
export function resolve(name, context, next) {
  return name.startsWith("/web/") ? next(new URL("../../../../api" + name, ${JSON.stringify(import.meta.url)}).href, context) : next(name, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
