// Debian's Chromium on a page that was written to a file: nothing may be asked of a network, and nothing said on the console.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const executable = candidates.find(path => path && existsSync(path));

let browser;

// A page on this file: what it said and asked for is in `said` and `asked`.
export async function open(file, { width = 1280, height = 900, scheme = 'light', hash = '' } = {}) {
  browser ??= await chromium.launch({ executablePath: executable, args: ['--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  const said = [], asked = [];
  page.on('console', message => said.push(message.text()));
  page.on('pageerror', error => said.push(String(error)));
  page.on('request', request => { if (!request.url().startsWith('file:')) asked.push(request.url()); });
  const began = performance.now();
  await page.goto('file://' + file + hash);
  await page.waitForSelector('html[data-ready=yes]');
  await frame(page);
  return { page, said, asked, took: performance.now() - began };
}

// What was asked for has been drawn.
export const frame = page => page.evaluate(() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))));

export const close = () => browser?.close();
