// A Chromium with the page of interop/page. Usage: node chromium.mjs OPTIONS-AS-JSON; commands on stdin, reports on stdout.

import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const options = JSON.parse(process.argv[2]);
const { chromium } = createRequire(join(options.packages, "package.json"))("playwright-core");
const say = (report) => process.stdout.write(`${JSON.stringify(report)}\n`);
const ROOT = join(import.meta.dirname, "..");

// Pages have cameras only on an origin: https, or a server of this machine.
const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  if (path === "/driven.html") {
    response.setHeader("content-type", "text/html");
    return response.end("<!doctype html><title>driven</title>");
  }
  try {
    const text = await readFile(join(ROOT, path));
    response.setHeader("content-type", extname(path) === ".js" ? "text/javascript" : "text/html");
    response.end(text);
  } catch {
    response.statusCode = 404;
    response.end();
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const profile = await mkdtemp(join(tmpdir(), "interop-chromium-"));
const media = options.mdns ? [] : ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
const context = await chromium.launchPersistentContext(profile, {
  executablePath: options.chromium,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
    "--auto-select-desktop-capture-source=Entire screen",
    "--allow-loopback-in-peer-connection",
    ...media,
  ],
});
const page = await context.newPage();
page.on("pageerror", (error) => say({ event: "problem", what: `page: ${error.message}` }));
await page.goto(`http://127.0.0.1:${server.address().port}/driven.html`);
await page.exposeFunction("say", say);
await page.evaluate(async (options) => {
  const { Driver, countByStats } = await import("/clients/driver.js");
  const camera = navigator.mediaDevices;
  // A headless Chromium has no screen: a canvas that changes stands for it.
  const getDisplayMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const context = canvas.getContext("2d");
    let frame = 0;
    setInterval(() => {
      context.fillStyle = `hsl(${(frame += 7) % 360} 80% 50%)`;
      context.fillRect(0, 0, 320, 240);
    }, 66);
    return canvas.captureStream(15);
  };
  const devices = { getUserMedia: (wanted) => camera.getUserMedia(wanted), getDisplayMedia };
  window.driver = new Driver(options, { say: window.say, count: countByStats, devices });
  await window.driver.start();
}, options);

async function close() {
  await context.close();
  await rm(profile, { recursive: true, force: true });
  process.exit(0);
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "quit") break;
  // As a person closes it: nothing is said.
  if (line === "close-tab") await page.close();
  else page.evaluate((line) => window.driver.command(line), line).catch((error) => say({ event: "problem", what: error.message }));
}
await close();
