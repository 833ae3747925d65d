// The pages of `callsim run --html` and `callsim replay --html` in a browser. `.ci/extended` runs them. Without Chromium they are
// skipped with a line that says so; with CALLSIM_EXTENDED set that is an error.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { close, executable, frame, open } from './browser.mjs';

const root = resolve(import.meta.dirname, '../..');
const callsim = process.env.CALLSIM ?? join(root, 'target/debug/callsim');
const folder = mkdtempSync(join(tmpdir(), 'callsim-pages-'));
const shots = process.env.SCREENSHOTS ?? join(folder, 'screenshots');
const skip = executable || process.env.CALLSIM_EXTENDED ? false : 'there is no Chromium here';
if (skip) console.log(`SKIPPED: the pages were not opened in a browser: ${skip}`);

// Writes a page; a run that fails writes one as well.
function written(name, ...command) {
  const file = join(folder, name + '.html');
  try {
    execFileSync(callsim, [...command, '--html', file], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    if (error.status !== 3) throw error;
  }
  return file;
}

const text = (page, selector) => page.locator(selector).first().innerText();
const shoot = (page, name) => page.screenshot({ path: join(shots, name + '.png') });

function quiet({ said, asked }) {
  assert.deepEqual(said, [], 'nothing is said on the console');
  assert.deepEqual(asked, [], 'nothing is asked of the network');
}

// The contrast of every text that is seen, by WCAG 2.2 §1.4.3: at least 4.5, or 3 where it is large.
const contrasts = page => page.evaluate(() => {
  const rgba = text => { const c = document.createElement('canvas').getContext('2d', { willReadFrequently: true }); c.fillStyle = text; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
  const known = new Map(), colour = text => known.get(text) ?? known.set(text, rgba(text)).get(text);
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = element => { for (let e = element; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return colour(getComputedStyle(document.body).backgroundColor); };
  const low = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest('script, style, noscript, option')) continue;
    const style = getComputedStyle(element), svg = element.namespaceURI.endsWith('svg');
    // A title is not drawn; the mark within a sign is no text; what a search dims is not what is looked for.
    if (element.tagName === 'title' || element.closest('.bang, .dim')) continue;
    const band = element.parentElement.querySelector(':scope > rect');
    const under = svg && element.parentElement.classList.contains('band') && band ? colour(getComputedStyle(band).fill) : behind(element);
    const [a, b] = [light(colour(svg ? style.fill : style.color)), light(under)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    if (ratio < (large ? 3 : 4.5)) low.push(`${element.tagName} .${element.getAttribute('class')} "${element.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
  }
  return [...new Set(low)];
});

before(() => mkdirSync(shots, { recursive: true }));
after(() => close());

test('a call that connects: lanes, details with SDP and layers, source, search, zoom, theme', { skip }, async () => {
  const file = written('happy', 'run', 'happy/host-candidates', '--seed', '1');
  assert.ok(statSync(file).size <= 400_000, `${statSync(file).size} bytes`);
  const opened = await open(file), { page } = opened;
  assert.ok(opened.took < 1000, `opened in ${opened.took} ms`);
  assert.match(await text(page, '.verdict'), /passed.*connected/is);
  assert.deepEqual(await page.locator('.lane-name').allTextContents(), ['caller', 'signaller', 'callee']);
  assert.ok(await page.locator('.band').count() > 20, 'state machines are bands');
  assert.ok(await page.locator('.arrow.message').count() >= 5, 'messages are arrows');

  // A message: its way, its JSON, its SDP.
  await page.locator('.rows button', { hasText: '→ offer to callee' }).first().click();
  const details = await text(page, '.details');
  assert.match(details, /received\s+1\d+ ms, 4\d(\.\d)? ms later/);
  assert.match(details, /"type": "offer"/);
  assert.match(details, /m=audio 9 UDP\/TLS\/RTP\/SAVPF 111/);
  assert.match(page.url(), /#t=1\d+$/);
  assert.match(await text(page, '.source .now'), /steps/);

  // Packets, layer by layer.
  const search = page.getByRole('searchbox');
  for (const [what, seen] of [['stun binding request', /USERNAME[\s\S]*PRIORITY/], ['dtls client-hello', /ClientHello[\s\S]*cipher suites\s+ECDHE/], ['srtp', /sequence number\s+\d+[\s\S]*SSRC\s+\d+/]]) {
    await search.fill(what);
    assert.match(await text(page, '.count'), /^[1-9]\d* found$/);
    await search.press('Enter');
    assert.match(await text(page, '.details'), seen);
  }
  await search.press('Escape');

  // A transition has its cause.
  await page.locator('.rows button', { hasText: 'signaling: stable → have-local-offer' }).first().click();
  assert.match(await text(page, '.details'), /cause\s+setLocalDescription\(offer\)/);

  // Zoom and pan by keys, wheel and mouse; folded or to scale.
  const ticks = async () => { await frame(page); return page.locator('.tick').allTextContents(); };
  await page.locator('.board').focus();
  await page.keyboard.press('0');
  const whole = await ticks();
  for (let i = 0; i < 4; i++) await page.keyboard.press('+');
  const near = await ticks();
  assert.notDeepEqual(near, whole, 'plus zooms');
  await page.keyboard.press('ArrowRight');
  assert.notDeepEqual(await ticks(), near, 'the arrow moves');
  await page.keyboard.press('0');
  const box = await page.locator('.lanes').boundingBox();
  await page.mouse.move(box.x + 400, box.y + 10);
  await page.mouse.wheel(0, -400);
  const wheeled = await ticks();
  assert.notDeepEqual(wheeled, whole, 'the wheel over the axis zooms');
  await page.mouse.move(box.x + 600, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 200, { steps: 5 });
  await page.mouse.up();
  assert.notDeepEqual(await ticks(), wheeled, 'dragging moves');
  await page.keyboard.press('0');
  await frame(page);
  assert.ok(await page.locator('.lanes .gap').count() > 2, 'idle time is folded');
  await page.keyboard.press('s');
  await frame(page);
  assert.equal(await page.locator('.lanes .gap').count(), 0, 'nothing is folded to scale');
  await page.keyboard.press('s');

  // Filters.
  const before = await page.locator('.arrow.ice').count();
  await page.locator('[data-filter=ice]').uncheck();
  await frame(page);
  assert.ok(before > 0 && await page.locator('.board .arrow.ice').count() === 0, 'a kind is switched off');
  await page.locator('[data-filter=ice]').check();

  assert.deepEqual(await contrasts(page), []);
  await shoot(page, 'happy-1280-light');
  await page.locator('#theme').click();
  await page.locator('#theme').click();
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
  assert.deepEqual(await contrasts(page), []);
  await shoot(page, 'happy-1280-dark');
  quiet(opened);
});

test('a lossy call that recovers: losses with their cause, a link to a moment, on a phone', { skip }, async () => {
  const file = written('lossy', 'run', 'outage/link-down-3s-during-ice', '--seed', '1');
  const opened = await open(file, { hash: '#t=1200' }), { page } = opened;
  assert.ok(await page.locator('.arrow.lost .cross').count() > 0, 'losses have a cross');
  assert.match((await page.locator('.arrow.lost .label').allTextContents()).join(), /link down/);
  assert.match(await text(page, '.details'), /1200 ms/);
  await page.locator('.board').focus();
  await page.keyboard.press('x');
  assert.match(await text(page, '.details'), /DROPPED, link down|LOST/);
  await page.locator('[data-filter=bad]').check();
  const rows = await page.locator('.rows .text').allInnerTexts();
  assert.ok(rows.length > 0 && rows.every(row => row.startsWith('✗')), 'only losses and problems');
  await page.locator('[data-filter=bad]').uncheck();
  await shoot(page, 'lossy-1280-light');
  quiet(opened);
  for (const scheme of ['light', 'dark']) {
    const phone = await open(file, { width: 390, height: 844, scheme });
    assert.equal(await phone.page.evaluate(() => document.documentElement.scrollWidth), 390, 'nothing is cut off at the side');
    assert.deepEqual(await contrasts(phone.page), []);
    await shoot(phone.page, 'lossy-390-' + scheme);
    quiet(phone);
  }
});

test('a captured call beside its re-execution: findings lead to their moment', { skip }, async () => {
  const file = written('replay', 'replay', 'fixtures/hand-made/early-candidates-refused.rtcstats.txt');
  const opened = await open(file), { page } = opened;
  assert.deepEqual(await page.locator('.view h2').allInnerTexts(), ['captured', 're-executed']);
  assert.match(await text(page, '.verdict'), /the browser refused them/);
  await page.locator('.marks a', { hasText: '543' }).first().click();
  assert.match(page.url(), /#t=543/);
  assert.match((await page.locator('.mark .label').allTextContents()).join(), /candidate-before-remote-description/);
  assert.deepEqual(await contrasts(page), []);
  await shoot(page, 'replay-1280-light');
  quiet(opened);
  const phone = await open(file, { width: 390, height: 844, scheme: 'dark' });
  assert.equal(await phone.page.evaluate(() => document.documentElement.scrollWidth), 390);
  await shoot(phone.page, 'replay-390-dark');
  quiet(phone);
});

test('two runs beside each other, and a suite as a grid', { skip }, async () => {
  const both = await open(written('both', 'run', 'loss/uniform-20pct', '--seed', '7', '--against', '8'));
  assert.match(await text(both.page, '.verdict'), /First difference: /);
  assert.equal(await both.page.locator('.mark', { hasText: 'first difference' }).count(), 2);
  quiet(both);
  const folderOfSuite = join(folder, 'suite');
  execFileSync(callsim, ['run', 'ringing', '--seeds', '3', '--html', folderOfSuite], { cwd: root, stdio: 'ignore' });
  const suite = await open(join(folderOfSuite, 'index.html'));
  const cells = suite.page.locator('.grid .cell');
  assert.equal(await cells.count() % 3, 0);
  await cells.nth(1).click();
  assert.match(await text(suite.page, '.picked'), /run ringing\/\S+ --seed 2\s*$/);
  await suite.page.locator('[data-sort=setup]').click();
  assert.equal(await suite.page.locator('th[aria-sort=descending]').count(), 1);
  assert.deepEqual(await contrasts(suite.page), []);
  await shoot(suite.page, 'suite-1280-light');
  quiet(suite);
});
