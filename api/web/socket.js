// One WebSocket that comes back: a ticket over HTTP, a hello, frames. Waits between tries with full
// jitter, so that a thousand open pages do not return in the same second.

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const PING_MS = 20_000;
const SILENT_MS = 45_000;

export function connect({ ticket, opened, frame, state }) {
  let tries = 0;
  let timer = 0;
  let socket = null;

  async function open() {
    clearTimeout(timer);
    state("connecting", "connecting");
    const answer = await ticket().catch(() => null);
    if (answer?.status === 401 || answer?.status === 403) return state("locked", "token needed");
    if (!answer?.ok) return later();
    const { url, ticket: pass } = await answer.json();
    listen(new WebSocket(url), pass);
  }

  function listen(made, pass) {
    socket = made;
    const say = (frame) => made.readyState === WebSocket.OPEN && made.send(JSON.stringify(frame));
    let heard = Date.now();
    // a connection can die without a word: ask, and leave when nothing comes back
    const pulse = setInterval(() => (Date.now() - heard > SILENT_MS ? made.close() : say({ op: "ping" })), PING_MS);
    made.onopen = () => {
      say({ op: "hello", ticket: pass });
      say({ op: "ping" }); // its answer says that we are in
    };
    made.onmessage = ({ data }) => {
      if (made !== socket) return;
      heard = Date.now();
      if (tries !== -1) {
        tries = -1;
        state("live", "live");
        opened();
      }
      frame(JSON.parse(data));
    };
    made.onclose = () => {
      clearInterval(pulse);
      if (made === socket) later();
    };
  }

  function later() {
    socket = null;
    tries = Math.max(tries, 0) + 1;
    const wait = Math.random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** tries);
    state("waiting", `back in ${Math.ceil(wait / 1000)} s`);
    timer = setTimeout(open, wait);
  }

  function now() {
    tries = 0;
    open();
  }

  addEventListener("online", () => socket === null && now());
  open();
  const say = (frame) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
  return { now, say, live: () => tries === -1 };
}
