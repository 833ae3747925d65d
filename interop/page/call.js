// A call with callsim's engine, or with another page like this one: what docs/signalling.md asks of a client, on
// RTCPeerConnection. No dependencies; copy it.
//
// The caller rings; when the callee accepts, the caller offers. From there on both sides may offer at any time: the caller is
// impolite, the callee polite, and each exchange has a round that both count (docs/signalling.md, "Rounds and politeness").
//
// Events (addEventListener): "incoming", "state" (detail: ringing | connecting | connected | reconnecting | ended), "track",
// "data", "problem".

export class Call extends EventTarget {
  // `media`: { audio, video } of getUserMedia, or null to send nothing. `devices`: who has getUserMedia and getDisplayMedia.
  constructor(signalling, { me, media, data = true, iceServers = [], iceTransportPolicy = "all", ringMs = 30_000, devices }) {
    super();
    Object.assign(this, { signalling, me, media, data, ringMs });
    this.devices = devices ?? globalThis.navigator?.mediaDevices;
    this.configuration = { iceServers, iceTransportPolicy };
    this.state = "idle";
    this.queue = Promise.resolve();
    // One message after the other: each may wait for the peer connection.
    signalling.onmessage = (envelope) => this.later(envelope.body.type, () => this.on(envelope));
  }

  // ---- what a person does

  dial(peer, id) {
    this.begin("caller", peer, id);
    this.send({ type: "ring", media: { audio: Boolean(this.media?.audio), video: Boolean(this.media?.video) } });
    this.enter("dialling");
    this.ringTimer = setTimeout(() => this.end("no-answer", "bye"), this.ringMs);
  }

  async accept() {
    clearTimeout(this.ringTimer);
    await this.build(); // Before we say so: the offer comes at once.
    this.send({ type: "accept" });
    this.enter("connecting");
  }

  reject() {
    this.end("declined", "reject");
  }

  hangUp() {
    const isCancelled = this.role === "caller" && !this.connection;
    if (this.role === "callee" && !this.connection) return this.reject();
    this.end(isCancelled ? "cancelled" : "hung-up", "bye");
  }

  // Muted tracks send silence and black frames; the direction stays.
  setMuted(kind, muted) {
    for (const track of this.stream?.getTracks() ?? []) if (track.kind === kind) track.enabled = !muted;
  }

  // Held: we go on sending music, as it were, and take nothing. `negotiationneeded` follows.
  setHeld(held) {
    for (const transceiver of this.connection.getTransceivers()) {
      if (transceiver.stopped || transceiver.currentDirection === "stopped") continue;
      const sends = Boolean(transceiver.sender.track);
      transceiver.direction = held ? (sends ? "sendonly" : "inactive") : sends ? "sendrecv" : "recvonly";
    }
  }

  async addCamera() {
    const camera = await this.devices.getUserMedia({ video: { width: 320, height: 240, frameRate: 15 } });
    camera.getTracks().forEach((track) => {
      this.stream?.addTrack(track);
      this.connection.addTrack(track, this.stream ?? camera);
    });
  }

  async shareScreen() {
    this.screen = await this.devices.getDisplayMedia({ video: true });
    const [track] = this.screen.getVideoTracks();
    this.screenSender = this.connection.addTrack(track, this.screen);
  }

  stopScreen() {
    this.screen?.getTracks().forEach((track) => track.stop());
    if (this.screenSender) this.connection.removeTrack(this.screenSender);
    this.screen = this.screenSender = undefined;
  }

  restartIce() {
    this.connection.restartIce(); // `negotiationneeded` follows.
  }

  sendData(text, label = "ordered") {
    this.channels.get(label)?.send(text);
  }

  // ---- messages

  async on({ call, from, body }) {
    if (body.type === "ring") return this.onRing(call, from, body);
    if (body.type === "error") return this.problem(`the server refuses message ${body.about}: ${body.message}`);
    // `absent` and `present` come from the relay, about our peer. Without media for 20 s after it the peer is gone.
    if (from === "relay") return this.onPresence(body);
    if (call !== this.id || from !== this.peer || this.state === "ended") return;
    this.onPresence({ type: "present", participant: from });
    switch (body.type) {
      case "ringing": return this.enter("ringing");
      case "accept": return this.onAccept();
      case "reject": return this.end(body.reason);
      case "bye": return this.end(body.reason);
      case "offer": return this.onOffer(body);
      case "answer": return this.onAnswer(body);
      case "candidate": return this.onCandidate(body);
      case "end-of-candidates": return this.onCandidate({ candidate: "", ...body });
      case "renegotiate": return this.onRenegotiate(body);
    }
  }

  onRing(call, from, { media }) {
    if (this.state !== "idle" && this.state !== "ended") {
      if (call === this.id) return;
      return this.signalling.send({ to: from, call, body: { type: "reject", reason: "busy" } });
    }
    this.begin("callee", from, call);
    this.send({ type: "ringing" });
    this.enter("ringing");
    this.ringTimer = setTimeout(() => this.end("no-answer", "bye"), this.ringMs);
    this.tell("incoming", { call, from, media });
  }

  async onAccept() {
    if (this.role !== "caller" || this.connection) return;
    clearTimeout(this.ringTimer);
    this.enter("connecting");
    await this.build();
    await this.offer();
  }

  async onOffer({ sdp, negotiation }) {
    if (negotiation < this.round) return; // Of a round that is over.
    const connection = this.connection;
    if (connection.signalingState === "have-local-offer") {
      if (negotiation > this.round) return void (this.early = { sdp, negotiation }); // It overtook the answer to ours.
      if (this.role === "caller") return; // Glare: the callee takes its offer back.
      await connection.setLocalDescription({ type: "rollback" });
      this.again = true;
    } else if (negotiation === this.round) return; // It was repeated.
    this.round = negotiation;
    await connection.setRemoteDescription({ type: "offer", sdp });
    await this.applyHeld();
    // Not the implicit form: node's implementations of the API want it.
    await connection.setLocalDescription(await connection.createAnswer());
    this.send({ type: "answer", sdp: connection.localDescription.sdp, negotiation });
    if (this.again) {
      this.again = false;
      await this.offer();
    }
  }

  async onAnswer({ sdp, negotiation }) {
    if (this.connection.signalingState !== "have-local-offer" || negotiation !== this.round) return;
    await this.connection.setRemoteDescription({ type: "answer", sdp });
    await this.applyHeld();
    const early = this.early;
    this.early = undefined;
    if (early) await this.onOffer(early);
    else if (this.needed) await this.offer();
  }

  // Candidates wait for the description of their ICE generation.
  async onCandidate({ candidate, sdpMid = null, sdpMLineIndex = null, usernameFragment = null }) {
    const one = { candidate, sdpMid, sdpMLineIndex, usernameFragment };
    const remote = this.connection?.remoteDescription?.sdp;
    const isKnown = remote && (!usernameFragment || remote.includes(`a=ice-ufrag:${usernameFragment}`));
    if (!isKnown) return void this.held.push(one);
    await this.apply(one);
  }

  async applyHeld() {
    for (const one of this.held.splice(0)) await this.onCandidate(one);
  }

  async apply(one) {
    // The end of candidates names no media section where it is meant for all.
    if (one.candidate === "" && one.sdpMid === null) one.sdpMLineIndex = 0;
    await this.connection.addIceCandidate(one);
  }

  // The callee asks for a new peer connection: ours is the side that makes it.
  async onRenegotiate({ negotiation }) {
    if (this.role !== "caller" || negotiation < this.round) return;
    const old = this.connection;
    this.connection = undefined;
    old.close();
    await this.build();
    await this.offer();
  }

  onPresence({ type, participant }) {
    if (participant !== this.peer) return;
    this.isAbsent = type === "absent";
    this.watchAbsence();
  }

  // Ends the call where the other side is absent and its media gone, 20 s after both.
  watchAbsence() {
    const isGone = this.isAbsent && this.state === "reconnecting";
    if (isGone && !this.absence) this.absence = setTimeout(() => this.end("connection-lost", "bye"), 20_000);
    if (!isGone) {
      clearTimeout(this.absence);
      this.absence = undefined;
    }
  }

  // ---- the peer connection

  async build() {
    const connection = new RTCPeerConnection(this.configuration);
    this.connection = connection;
    connection.onnegotiationneeded = () => this.later("negotiationneeded", () => this.connection === connection && this.offer());
    connection.onicecandidate = ({ candidate }) => {
      if (this.connection !== connection) return;
      if (!candidate) return this.send({ type: "end-of-candidates" });
      if (!candidate.candidate) return; // The end of one generation, in browsers: the null above follows.
      const { candidate: text, sdpMid, sdpMLineIndex, usernameFragment } = candidate;
      const body = { type: "candidate", candidate: text, sdpMid, sdpMLineIndex, usernameFragment };
      for (const name of Object.keys(body)) if (body[name] === null || body[name] === undefined) delete body[name];
      this.send(body);
    };
    connection.onconnectionstatechange = () => this.onConnection(connection);
    connection.ontrack = ({ track, streams }) => this.tell("track", { track, stream: streams?.[0] });
    connection.ondatachannel = ({ channel }) => this.own(channel);
    this.channels = new Map();
    if (this.media && !this.stream) this.stream = await this.devices.getUserMedia(this.media);
    for (const track of this.stream?.getTracks() ?? []) connection.addTrack(track, this.stream);
    if (!this.media && this.role === "caller") {
      connection.addTransceiver("audio", { direction: "recvonly" });
      connection.addTransceiver("video", { direction: "recvonly" });
    }
    // The engine's two channels: the caller opens both, before its first offer.
    if (this.data && this.role === "caller") {
      this.own(connection.createDataChannel("ordered"));
      this.own(connection.createDataChannel("unordered", { ordered: false }));
    }
  }

  async offer() {
    const connection = this.connection;
    // The first offer is the caller's. While one is in flight, the next one waits for its answer.
    if (this.role === "callee" && !connection.remoteDescription) return;
    this.needed = connection.signalingState !== "stable";
    if (this.needed) return;
    const offer = await connection.createOffer();
    if (connection.signalingState !== "stable") return;
    await connection.setLocalDescription(offer);
    this.round += 1;
    this.tell("offered", { round: this.round });
    this.send({ type: "offer", sdp: connection.localDescription.sdp, negotiation: this.round });
  }

  onConnection(connection) {
    if (this.connection !== connection || this.state === "ended") return;
    switch (connection.connectionState) {
      case "connected": this.enter("connected"); break;
      case "disconnected":
      case "failed":
        if (this.state === "connected") this.enter("reconnecting");
        // The caller restarts ICE; the callee's engine does so by itself, and so may we.
        if (connection.connectionState === "failed") this.restartIce();
    }
    this.watchAbsence();
  }

  own(channel) {
    channel.binaryType = "arraybuffer";
    this.channels.set(channel.label, channel);
    channel.onmessage = ({ data }) => {
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      this.tell("data", { label: channel.label, text });
    };
  }

  // ---- the rest

  begin(role, peer, id) {
    Object.assign(this, { role, peer, id, round: 0, held: [], early: undefined, needed: false, again: false, isAbsent: false });
    this.connection = undefined;
    this.stream = undefined;
    this.channels = new Map();
  }

  end(reason, word) {
    if (this.state === "ended" || this.state === "idle") return;
    clearTimeout(this.ringTimer);
    clearTimeout(this.absence);
    this.absence = undefined;
    if (word) this.send({ type: word, reason });
    this.stopTracks();
    this.connection?.close();
    this.enter("ended", reason);
  }

  stopTracks() {
    for (const stream of [this.stream, this.screen]) stream?.getTracks().forEach((track) => track.stop());
  }

  send(body) {
    this.signalling.send({ to: this.peer, call: this.id, body });
  }

  enter(state, reason) {
    if (this.state === state) return;
    this.state = state;
    this.tell("state", { state, reason });
  }

  tell(type, detail) {
    const event = new Event(type);
    event.detail = detail;
    this.dispatchEvent(event);
  }

  problem(what) {
    this.tell("problem", { what });
  }

  later(what, work) {
    this.queue = this.queue.then(work).catch((error) => this.problem(`${what}: ${error.name}: ${error.message}`));
  }
}
