// The grid of a suite: a row for each scenario, a cell for each seed.

theme.start();
const suiteRoot = document.getElementById('suite');
const OUTCOMES = [...new Set(DATA.flatMap(row => row.cells.map(cell => cell.outcome)))].sort((a, b) => (b === 'connected') - (a === 'connected'));
// A letter or two for each outcome, so that it can be told without its colour.
const LETTERS = new Map();
for (const outcome of OUTCOMES) {
  const [first, ...others] = outcome.split('-'), taken = [...LETTERS.values()];
  const ways = [first[0] + (others[0] || '').slice(0, 1), ...[...first.slice(1)].map(letter => first[0] + letter)].map(way => way.toUpperCase());
  LETTERS.set(outcome, ways.find(way => !taken.includes(way)) || ways[0]);
}
const letters = outcome => LETTERS.get(outcome);
const hue = outcome => 'o' + OUTCOMES.indexOf(outcome) % 8;
const failedOf = row => row.cells.filter(cell => !cell.passed).length;
const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name),
  failed: (a, b) => failedOf(b) - failedOf(a) || a.name.localeCompare(b.name),
  setup: (a, b) => (b.setup_ms ?? -1) - (a.setup_ms ?? -1),
};
let order = DATA.some(failedOf) ? 'failed' : 'name', query = '';

const shownCommand = h('p', { class: 'command picked', role: 'status' }, 'Choose a run to see the command that repeats it.');
const table = h('table', { class: 'grid' });
const filter = h('input', { type: 'search', placeholder: 'Scenario or outcome', 'aria-label': 'Show scenarios whose name or outcome contains', oninput: () => { query = filter.value.trim().toLowerCase(); show(); } });
suiteRoot.append(
  h('div', { class: 'toolbar' }, filter),
  h('ul', { class: 'legend' }, OUTCOMES.map(outcome => h('li', {}, h('span', { class: 'cell ' + hue(outcome) }, letters(outcome)), outcome)), h('li', {}, h('span', { class: 'cell failed' }, '✗'), 'a check failed')),
  shownCommand, h('div', { class: 'scroll' }, table));

function pick(row, cell) {
  const command = row.command.replace('SEED', cell.seed);
  const anchor = document.getElementById(`run-${row.name}-${cell.seed}`);
  shownCommand.replaceChildren(h('span', {}, `${row.name}, seed ${cell.seed}: ${cell.outcome}${cell.setup_ms === null ? '' : `, ${cell.setup_ms} ms`}. Repeat: `), h('code', {}, command),
    anchor ? h('a', { href: '#' + anchor.id }, ' What failed') : '');
  table.querySelectorAll('[aria-pressed=true]').forEach(other => other.setAttribute('aria-pressed', 'false'));
}

function show() {
  const sorted = [...DATA].sort(ORDERS[order]).filter(row => !query || row.name.toLowerCase().includes(query) || row.cells.some(cell => cell.outcome.includes(query)));
  const head = (id, text) => h('th', { scope: 'col', 'aria-sort': order === id ? (id === 'name' ? 'ascending' : 'descending') : 'none' }, h('button', { type: 'button', 'data-sort': id, onclick: () => { order = id; show(); } }, text + (order === id ? ' ▾' : '')));
  const rows = sorted.map(row => h('tr', {},
    h('th', { scope: 'row' }, row.name), h('td', { class: 'number' }, failedOf(row) || '–'), h('td', { class: 'number' }, row.setup_ms === null ? '–' : row.setup_ms),
    h('td', {}, h('div', { class: 'cells' }, row.cells.map(cell => h('button', {
      type: 'button', class: 'cell ' + (cell.passed ? hue(cell.outcome) : 'failed'), 'aria-pressed': 'false', 'aria-label': `seed ${cell.seed}: ${cell.outcome}${cell.passed ? '' : ', failed'}`,
      title: `seed ${cell.seed}: ${cell.outcome}${cell.setup_ms === null ? '' : `, ${cell.setup_ms} ms`}${cell.passed ? '' : ', FAILED'}`,
      onclick: event => { pick(row, cell); event.currentTarget.setAttribute('aria-pressed', 'true'); },
    }, cell.passed ? letters(cell.outcome) : '✗'))))));
  table.replaceChildren(h('thead', {}, h('tr', {}, head('name', 'scenario'), head('failed', 'failed'), head('setup', 'set-up p50, ms'), h('th', { scope: 'col' }, 'runs, by seed'))), h('tbody', {}, rows));
}

show();
document.documentElement.dataset.ready = 'yes';
