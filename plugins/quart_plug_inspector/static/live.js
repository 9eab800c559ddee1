// The websocket: what the server tells, connecting again with growing pauses, and saying where it stands.

const FIRST = 500; // milliseconds
const LONGEST = 15000;

export class Live {
  /**
   * onMessage(message, isFirst)  isFirst: of this connection; it has everything.
   * onState(state, text)         connecting, live, offline or out.
   */
  constructor(onMessage, onState) {
    this.onMessage = onMessage;
    this.onState = onState;
    this.pause = FIRST;
    this.timer = null;
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => document.hidden || this.now());
    this.#connect();
  }

  /** Connect at once, if it is not connected. */
  now() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.#connect();
  }

  #connect() {
    this.onState("connecting", "Connecting…");
    const url = new URL("live", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    let isFirst = true;
    let opened = false;
    socket.addEventListener("open", () => {
      opened = true;
    });
    socket.addEventListener("message", (event) => {
      if (isFirst) {
        this.pause = FIRST;
        this.onState("live", "Live");
      }
      this.onMessage(JSON.parse(event.data), isFirst);
      isFirst = false;
    });
    socket.addEventListener("close", () => (opened ? this.#wait() : this.#ask()));
  }

  /** It did not open, and a script is not told why: the same question as a request has an answer. */
  async #ask() {
    try {
      const answer = await fetch("data.json", { method: "HEAD", cache: "no-store" });
      if (answer.status === 401) return this.onState("out", "Signed out: the server’s log has a new address");
      if (answer.status === 404) return this.onState("out", "The app is not in debug mode any more");
    } catch {
      // Nobody is there; it may be so again soon.
    }
    return this.#wait();
  }

  #wait() {
    const until = Date.now() + this.pause * (0.8 + 0.4 * Math.random());
    this.pause = Math.min(this.pause * 1.7, LONGEST);
    const tell = () => {
      const left = until - Date.now();
      if (left <= 0) this.now();
      else this.onState("offline", `No connection. Next try in ${Math.ceil(left / 1000)} s`);
    };
    this.timer = setInterval(tell, 250);
    tell();
  }
}
