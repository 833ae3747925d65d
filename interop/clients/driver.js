// Carries out the runner's commands on a Call, and reports in its words (interop/README.md). In a page and in node.

import { Call } from "../page/call.js";
import { Signalling } from "../page/signalling.js";

export class Driver {
  // `say` writes one report; `count` yields what was sent and received so far.
  constructor(options, { say, count, devices }) {
    Object.assign(this, { options, say, count });
    const { server, name, call, way } = options;
    this.signalling = new Signalling({ server: `ws://${server}`, participant: name, call, way });
    this.call = new Call(this.signalling, { ...options, me: name, devices });
    this.data = [];
    for (const type of ["incoming", "state", "problem", "offered"]) {
      this.call.addEventListener(type, ({ detail }) => say({ event: type, ...detail }));
    }
    this.call.addEventListener("data", ({ detail }) => say({ event: "data", ...detail }));
    this.call.addEventListener("track", ({ detail }) => say({ event: "track", kind: detail.track.kind }));
    this.signalling.onstate = (state) => say({ event: "signalling", state });
  }

  async start() {
    await this.signalling.connect();
    this.say({ event: "ready" });
  }

  async command(line) {
    const [word, ...rest] = line.split(" ");
    const call = this.call;
    try {
      switch (word) {
        case "dial": return call.dial(rest[0], rest[1]);
        case "accept": return await call.accept();
        case "reject": return call.reject();
        case "hang-up": return call.hangUp();
        case "mute": return call.setMuted(rest[0], true);
        case "unmute": return call.setMuted(rest[0], false);
        case "hold": return call.setHeld(true);
        case "resume": return call.setHeld(false);
        case "add-video": return await call.addCamera();
        case "screen": return await call.shareScreen();
        case "no-screen": return call.stopScreen();
        case "restart-ice": return call.restartIce();
        case "data": return call.sendData(rest.join(" "));
        case "counts": return this.say({ event: "counts", ...(await this.count(call.connection)) });
        default: return this.say({ event: "unsupported", what: word });
      }
    } catch (error) {
      this.say({ event: "problem", what: `${word}: ${error.name}: ${error.message}` });
    }
  }
}

// Packets by kind and direction, and decoded frames, as getStats counts them. A stopped track keeps its count.
export async function countByStats(connection) {
  const counts = { audioIn: 0, videoIn: 0, audioOut: 0, videoOut: 0, decoded: 0 };
  for (const stats of connection ? (await connection.getStats()).values() : []) {
    if (stats.type === "inbound-rtp") {
      counts[`${stats.kind}In`] += stats.packetsReceived ?? 0;
      counts.decoded += stats.framesDecoded ?? 0;
    }
    if (stats.type === "outbound-rtp") counts[`${stats.kind}Out`] += stats.packetsSent ?? 0;
  }
  return counts;
}
