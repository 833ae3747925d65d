// What all pages share: elements, texts, colours.

const SVG = 'http://www.w3.org/2000/svg';
const DATA = JSON.parse(document.getElementById('data').textContent);

// A text of others, with what steers a terminal or turns the direction of writing made visible.
const shown = text => String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
  letter => letter === '\r' ? '' : '\\u' + letter.charCodeAt(0).toString(16).padStart(4, '0'));

// An element: its attributes, event handlers as `onclick`, and its children: texts, elements, or nothing.
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : shown(child));
  }
  return element;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const ms = t => Number.isInteger(t) ? String(t) : t.toFixed(3).replace(/0+$/, '').replace(/\.$/, '');
const duration = t => t < 1000 ? ms(Math.round(t * 10) / 10) + ' ms' : t < 60000 ? (t / 1000).toFixed(t < 10000 ? 1 : 0) + ' s'
  : Math.floor(t / 60000) + ' min' + (t % 60000 >= 1000 ? ' ' + Math.round(t % 60000 / 1000) + ' s' : '');

// The theme: that of the system, or one that was chosen. It is remembered where the browser allows that to a file.
const themes = [['auto', '◐'], ['light', '○'], ['dark', '●']];
const theme = {
  now: 'auto',
  changed: () => {},
  set(name) {
    this.now = name;
    if (name === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    const button = document.getElementById('theme');
    button.textContent = themes.find(it => it[0] === name)[1] + ' ' + name;
    button.setAttribute('aria-label', 'Colours: ' + (name === 'auto' ? 'automatic' : name));
    try { localStorage.setItem('callsim-theme', name); } catch { /* not allowed */ }
    this.changed();
  },
  next() {
    this.set(themes[(themes.findIndex(it => it[0] === this.now) + 1) % themes.length][0]);
  },
  start() {
    let kept = null;
    try { kept = localStorage.getItem('callsim-theme'); } catch { /* not allowed */ }
    this.set(themes.some(it => it[0] === kept) ? kept : 'auto');
    document.getElementById('theme').addEventListener('click', () => this.next());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.changed());
  },
};
