// Types of tocsin-inbox.js, written by hand; the module's own comments say more.

/** One entry of the inbox as the server keeps it. */
export interface Notification {
  notification_id: string;
  type: string;
  category: string;
  /** When it was accepted, ISO 8601. */
  at: string;
  title: string;
  body: string;
  url?: string;
  priority?: "critical" | "high" | "normal" | "low";
  expires_at?: string;
  /** The counted way to `url`: followed in its place. */
  link?: string;
  /** What it is about: watched, so that it can correct itself. */
  sku?: string;
}

export interface Item {
  /** Its place in the inbox: never given twice, higher is newer. */
  offset: number;
  unread: boolean;
  notification: Notification;
}

export interface Page {
  items: Item[];
  /** Asks for the next page; null on the last. */
  cursor: number | null;
  /** How many are unread, of all types. */
  unread: number;
}

export type Reconnect = "no" | "now" | "backoff" | "new_ticket";
export type Status = "all" | "unread" | "read";
export type State = "idle" | "connecting" | "live" | "waiting" | "offline" | "stopped" | "closed";
export type ProblemKind =
  | "unauthorized" | "forbidden" | "not_found" | "busy" | "unavailable" | "invalid" // HTTP
  | "network" | "token" | "blocked" // before the socket
  | "closed" | "frame"; // the socket

export type Change =
  | { op: "add"; items: Item[] }
  | { op: "read"; ids?: string[]; all?: boolean }
  | { op: "unread" | "deleted"; ids: string[] };

// decisions

export const CLOSE_CODES: Readonly<Record<number, { name: string; reconnect: Reconnect; afterMs?: number }>>;
export function afterClose(code: number): { name: string; reconnect: Reconnect; afterMs: number };
export function backoff(failures: number, random?: () => number): number;
export function reconnectDelay(reconnect: Reconnect, failures: number, random?: () => number): number | null;
export function retryAfter(header: string | null, now?: number): number;
export function classify(status: number): { kind: ProblemKind; again: boolean };
export function merge(items: readonly Item[], more: readonly Item[]): Item[];
export function applied(items: Item[], change: Change): Item[];
export function skusOf(items: readonly Item[], most?: number): string[];
export function safeUrl(url: string | null | undefined, base: string): string;
export function wayOf(notification: Pick<Notification, "link" | "url">, base: string): string;
export function relativeTime(at: string, now: number, locale: string): string;
export function badgeText(unread: number, locale: string): string;
export function place(
  bell: { left: number; right: number; top: number; bottom: number },
  width: number,
  view: { width: number; height: number },
  rtl: boolean,
): { left: number; up: boolean; offset: number; room: number };

/** The items that are loaded; a page that was on its way undoes nothing that happened meanwhile. */
export class ItemList {
  items: Item[];
  cursor: number | null;
  change(change: Change): void;
  begin(): Change[];
  reload(journal: Change[], page: Pick<Page, "items" | "cursor">): void;
  more(journal: Change[], page: Pick<Page, "items" | "cursor">): void;
  forget(journal: Change[]): void;
}

// client

export class TocsinError extends Error {
  constructor(
    kind: ProblemKind,
    message: string,
    more?: { again?: boolean; status?: number; afterMs?: number; code?: number },
  );
  readonly kind: ProblemKind;
  /** Whether the same may work later. */
  readonly again: boolean;
  /** HTTP's, else 0. */
  readonly status: number;
  /** How long the server asks to wait. */
  readonly afterMs: number;
  /** The socket's close code, else 0. */
  readonly code: number;
}

export interface ClientOptions {
  /** Where Tocsin is; else where the module came from. */
  api?: string;
  /** A person's token; or, better, `getToken`. */
  token?: string | null;
  /** A token of the person who is logged in; asked for again when one has expired. */
  getToken?: () => string | Promise<string>;
  /** Only notifications of these types. */
  types?: readonly string[];
  /** SKUs whose stock is told, at most 100. */
  watch?: readonly string[];
}

export interface ClientEvents {
  state: { state: State; reason?: string; code?: number; retryAt?: number; unread: number };
  notification: { item: Item; notification: Notification; known: boolean; unread: number };
  read: { ids: string[]; all?: boolean; unread: number };
  unread: { ids: string[]; unread: number };
  deleted: { ids: string[]; unread: number };
  stock: { sku: string; available: number; unread: number };
  reset: { reason: "first" | "gap" | "resumed"; offset: number; unread: number };
  problem: { error: TocsinError; during: "connect" | "live"; unread: number };
}

export class TocsinClient extends EventTarget {
  constructor(options?: ClientOptions);
  readonly state: State;
  readonly unread: number;
  readonly position: { epoch: string; offset: number } | null;
  connect(): this;
  close(): void;
  list(options?: { cursor?: number | null; status?: Status; types?: readonly string[]; limit?: number }): Promise<Page>;
  markRead(ids: readonly string[] | "all"): Promise<void>;
  markUnread(ids: readonly string[]): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  watch(skus: readonly string[]): void;
  addEventListener<K extends keyof ClientEvents>(
    type: K,
    listener: (event: CustomEvent<ClientEvents[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

// words

export type Text = string | Record<string, string>;
export interface Messages {
  title: string;
  unreadCount: Text;
  noneUnread: string;
  all: string;
  unread: string;
  markAll: string;
  markRead: string;
  markUnread: string;
  remove: string;
  close: string;
  dismiss: string;
  empty: string;
  emptyHint: string;
  emptyUnread: string;
  loading: string;
  failed: string;
  failedMore: string;
  retry: string;
  offline: string;
  waiting: string;
  stopped: string;
  signIn: string;
  tooMany: string;
  notSaved: string;
  soldOut: string;
  expired: string;
  arrived: string;
  several: Text;
}

export const MESSAGES: Record<string, Messages>;
export function messagesFor(locale: string, own?: Partial<Messages>): Messages;
export function counted(text: Text, n: number, locale: string): string;
export function directionOf(locale: string): "rtl" | "ltr";

// element

export interface InboxEvents {
  "tocsin-open": CustomEvent<{ notification: Notification; url: string }>;
  "tocsin-notification": CustomEvent<{ notification: Notification }>;
  "tocsin-unread": CustomEvent<{ unread: number }>;
  "tocsin-state": CustomEvent<ClientEvents["state"]>;
  "tocsin-problem": CustomEvent<ClientEvents["problem"]>;
}

export class TocsinInbox extends HTMLElement {
  readonly client: TocsinClient | null;
  readonly unread: number;
  readonly open: boolean;
  getToken: (() => string | Promise<string>) | null;
  messages: Partial<Messages>;
  show(): void;
  hide(refocus?: boolean): void;
  addEventListener<K extends keyof InboxEvents>(
    type: K,
    listener: (this: TocsinInbox, event: InboxEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "tocsin-inbox": TocsinInbox;
  }
}
