// An implementation of RTCPeerConnection in node, with the client of interop/page: roamhq (Google's), werift (TypeScript),
// node-datachannel (libdatachannel). Usage: node node.mjs OPTIONS-AS-JSON; commands on stdin, reports on stdout.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join } from "node:path";

const options = JSON.parse(process.argv[2]);
const packages = createRequire(join(options.packages, "package.json"));
const say = (report) => process.stdout.write(`${JSON.stringify(report)}\n`);

globalThis.WebSocket ??= packages("ws");
const { default: client } = await import(`./${options.client}.mjs`);
const { RTCPeerConnection, devices, count } = client(packages);
globalThis.RTCPeerConnection = RTCPeerConnection;
if (!devices) options.media = null;

const { Driver } = await import("./driver.js");
const driver = new Driver(options, { say, count, devices });
await driver.start();
for await (const line of createInterface({ input: process.stdin })) {
  // A program that is killed says as little as a closed tab.
  if (line === "quit" || line === "close-tab") break;
  driver.command(line);
}
process.exit(0);
