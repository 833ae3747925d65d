// The signalling of callsim in a browser: docs/signalling.md in 120 lines. No dependencies; copy it.
//
//   const signalling = new Signalling({ server: "ws://127.0.0.1:8080", participant: "alice", call: "demo", token });
//   signalling.onmessage = (envelope) => …;
//   await signalling.connect();
//   signalling.send({ to: "bob", call: "demo", body: { type: "ring", media: { audio: true, video: true } } });
//
// Each message is kept until the server has confirmed it, and sent again after a reconnect. Each is applied once: what comes
// has a place in our mailbox, and the cursor is the place up to which everything was applied.

const HEARTBEAT_MS = 15_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

export class Signalling {
  // `way`: "websocket", or "rest" where no WebSocket gets through.
  constructor({ server, participant, call, token, way = "websocket" }) {
    Object.assign(this, { server, participant, call, token, way });
    this.session = String(Math.floor(Math.random() * 2 ** 48)); // Another one for each run of the page.
    this.turn = 0; // Counts our connections.
    this.cursor = 0;
    this.mailbox = undefined; // The cursor counts within it.
    this.nextId = 1;
    this.unconfirmed = [];
    this.failures = 0;
    this.closed = false;
    this.onmessage = () => {};
    this.onstate = () => {};
  }

  // Resolves when the server has said welcome for the first time.
  connect() {
    return new Promise((welcomed) => {
      this.welcomed = welcomed;
      if (this.way === "rest") this.poll();
      else this.open();
    });
  }

  send({ to, call, body }) {
    const message = { version: 1, id: this.nextId++, call, from: this.participant, to, body };
    this.unconfirmed.push(message);
    if (this.way === "rest") this.post();
    else this.write({ type: "message", cursor: this.cursor, message });
  }

  // For good. What is not confirmed yet is lost, so say `bye` first.
  close() {
    this.closed = true;
    clearInterval(this.heartbeat);
    this.socket?.close(1000);
    this.abort?.abort();
  }

  // ---- WebSocket

  open() {
    const socket = new WebSocket(this.url("ws", "/v1/ws"));
    this.socket = socket;
    this.heard = true;
    socket.onmessage = ({ data }) => {
      this.heard = true;
      this.onframe(JSON.parse(data));
    };
    socket.onclose = () => {
      clearInterval(this.heartbeat);
      if (this.closed || this.socket !== socket) return;
      this.onstate("down");
      setTimeout(() => this.open(), this.retry());
    };
    this.heartbeat = setInterval(() => {
      if (!this.heard) return socket.close(); // Half-open: nothing came since the last heartbeat.
      this.heard = false;
      this.write({ type: "ping", nonce: 1, cursor: this.cursor });
    }, HEARTBEAT_MS);
  }

  onframe(frame) {
    if (frame.type === "welcome") {
      this.welcome(frame);
      for (const message of this.unconfirmed) this.write({ type: "message", cursor: this.cursor, message });
    } else if (frame.type === "mail") {
      this.take(frame);
      this.write({ type: "ack", cursor: this.cursor });
    } else if (frame.type === "confirmed") {
      this.confirm(frame.id);
    } else if (frame.type === "answer") {
      console.warn("the server refuses:", frame.message.body);
    }
  }

  write(frame) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(frame));
  }

  // ---- REST

  async poll() {
    let wait = 0; // The first one is for the welcome.
    while (!this.closed) {
      try {
        this.abort = new AbortController();
        const answer = await fetch(this.url("http", "/v1/messages", { wait }), { signal: this.abort.signal });
        if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
        const body = await answer.json();
        this.welcome(body);
        body.messages.forEach((mail) => this.take(mail));
        wait = 25;
      } catch (error) {
        if (this.closed) return;
        await new Promise((over) => setTimeout(over, this.retry()));
      }
    }
  }

  // One request at a time, so that messages keep their order.
  async post() {
    if (this.posting) return;
    this.posting = true;
    while (this.unconfirmed.length > 0) {
      try {
        const body = JSON.stringify(this.unconfirmed);
        const answer = await fetch(this.url("http", "/v1/messages"), { method: "POST", body });
        const { confirmed, errors = [] } = await answer.json();
        if (confirmed === undefined) throw new Error(`the server answers ${answer.status}`);
        errors.forEach((error) => console.warn("the server refuses:", error));
        this.confirm(confirmed);
      } catch (error) {
        await new Promise((over) => setTimeout(over, this.retry()));
      }
    }
    this.posting = false;
  }

  // ---- both

  welcome({ mailbox, confirmed }) {
    if (this.mailbox !== mailbox && this.mailbox !== undefined) this.cursor = 0; // The server lost the old one.
    this.mailbox = mailbox;
    this.failures = 0;
    this.confirm(confirmed);
    this.onstate("up");
    this.welcomed();
  }

  take({ place, message }) {
    if (place <= this.cursor) return; // It was applied before.
    this.cursor = place;
    this.onmessage(message);
  }

  confirm(id) {
    this.unconfirmed = this.unconfirmed.filter((message) => message.id > id);
  }

  retry() {
    const longest = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
    return longest * (0.5 + Math.random() / 2);
  }

  url(scheme, path, more = {}) {
    const url = new URL(this.server);
    url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? `${scheme}s:` : `${scheme}:`;
    url.pathname = path;
    const { participant, session, call, token, mailbox, cursor } = this;
    // A post reads nothing, and a poll goes on where the one before it ended.
    if (scheme === "ws" || this.turn === 0) this.turn += 1;
    const query = { participant, session, call, token, mailbox, cursor, turn: this.turn, ...more };
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return url;
  }
}
