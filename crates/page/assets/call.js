// The page about a call: what is selected, what is shown, keys and mouse.

class App {
  constructor(root) {
    this.root = root;
    this.layers = new Set(LAYERS.filter(layer => !layer.off).map(layer => layer.id));
    this.hosts = null;
    this.query = '';
    this.folded = true;
    this.time = 0;
    this.selected = null;
    this.badOnly = false;
    this.views = [];
    const board = h('section', { class: 'board ' + (DATA.views.length > 1 ? DATA.layout : ''), tabindex: 0, 'aria-label': 'Lanes over time. Arrow keys move, plus and minus zoom, n and p go from event to event.' });
    this.board = board;
    root.append(this.toolbar(), board);
    for (const view of DATA.views) {
      const holder = h('div', { class: 'view' }, DATA.views.length > 1 ? h('h2', {}, view.name) : null);
      board.append(holder);
      this.views.push(new Lanes(this, view, holder));
    }
    this.items = this.views.flatMap(lanes => lanes.items).sort((a, b) => a.at - b.at);
    root.append(this.legend());
    const places = ['list', 'side', 'series'].map(name => h('section', { class: name }));
    root.append(h('div', { class: 'below' }, places[0], places[1]), places[2]);
    this.details = new Details(this, places[1]);
    this.marks(places[1]);
    this.sources = DATA.views.filter(view => view.source).filter((view, index, all) => index === 0 || view.source.text !== all[0].source.text)
      .map(view => new SourceText(this, view, places[1].appendChild(h('div', { class: 'source-box' }))));
    this.list = new List(this, places[0]);
    this.series = new Series(this, places[2]);
    this.end = Math.max(1, ...DATA.views.map(view => view.end), ...this.items.slice(-1).map(item => item.until ?? item.at));
    this.measure();
    this.list.refilter();
    this.details.show(null);
    this.sources.forEach(source => source.follow(this.time));
    this.listen();
    this.hash();
    this.draw();
    this.series.draw();
  }

  // What there is to see, to be chosen from.
  toolbar() {
    const present = new Set(DATA.views.flatMap(view => [...view.entries.map(line => ENTRY_LAYERS[line.event.event] || 'other'), ...view.packets.protocols.map(content => content.layer)]));
    const chip = (id, name, on, change) => h('label', { class: 'chip ' + id }, h('input', { type: 'checkbox', checked: on, 'data-filter': id, onchange: event => { change(event.target.checked); this.refilter(); } }), h('span', {}, name));
    const layers = LAYERS.filter(layer => present.has(layer.id)).map(layer => chip(layer.id, layer.name, this.layers.has(layer.id), on => on ? this.layers.add(layer.id) : this.layers.delete(layer.id)));
    const hosts = [...new Set(DATA.views.flatMap(view => view.lanes))];
    this.hosts = new Set(hosts);
    const lanes = hosts.length > 1 ? hosts.map(host => chip('host', host, true, on => on ? this.hosts.add(host) : this.hosts.delete(host))) : [];
    this.search = h('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search in events, messages and packets', oninput: () => { this.query = this.search.value.trim().toLowerCase(); this.refilter(); } });
    this.found = h('span', { class: 'count', role: 'status' });
    const button = (text, label, click) => h('button', { type: 'button', 'aria-label': label, title: label, onclick: click }, text);
    this.mode = button('to scale', 'True to scale, or idle time folded (s)', () => this.toggleScale());
    return h('div', { class: 'toolbar', role: 'toolbar', 'aria-label': 'What is shown' },
      h('div', { class: 'group' }, button('−', 'Zoom out (-)', () => this.zoom(1.6)), button('+', 'Zoom in (+)', () => this.zoom(1 / 1.6)), button('◀', 'Earlier (arrow left)', () => this.pan(-0.3)), button('▶', 'Later (arrow right)', () => this.pan(0.3)), button('all', 'Show everything (0)', () => this.fit()), this.mode,
        button('✗ next', 'Next loss or problem (x)', () => this.list.step(1, item => item.bad || item.lost))),
      h('div', { class: 'group grow' }, this.search, this.found),
      h('fieldset', {}, h('legend', {}, 'kinds'), layers, chip('bad', 'only losses and problems', false, on => { this.badOnly = on; })),
      lanes.length ? h('fieldset', {}, h('legend', {}, 'hosts'), lanes) : null);
  }

  legend() {
    const key = (shape, text) => h('li', {}, s('svg', { width: 26, height: 14, 'aria-hidden': 'true' }, shape), text);
    const line = (cls, extra) => s('g', { class: 'arrow ' + cls }, s('line', { class: 'wire', x1: 2, y1: 3, x2: 22, y2: 11, 'marker-end': cls.includes('lost') ? null : 'url(#head)' }), extra);
    return h('ul', { class: 'legend', 'aria-label': 'Legend' },
      key(line('message'), 'message'), key(line('packet ice'), 'ICE, STUN, TURN'), key(line('packet dtls'), 'DTLS'), key(line('packet data'), 'data'),
      key(s('g', { class: 'comb' }, s('rect', { class: 'media', x: 3, y: 3, width: 3, height: 10 }), s('rect', { class: 'media', x: 8, y: 6, width: 3, height: 7 }), s('rect', { class: 'media', x: 13, y: 2, width: 3, height: 11 })), 'media packets'),
      key(line('packet lost', s('path', { class: 'cross', d: 'M16 5l8 8m0 -8l-8 8' })), 'lost, with the cause'),
      key(s('g', { class: 'glyph bad' }, s('path', { d: 'M12 1l7 12h-14z' }), s('text', { class: 'bang', x: 12, y: 12, 'text-anchor': 'middle' }, '!')), 'problem'),
      key(s('g', { class: 'step fault' }, s('path', { class: 'flag', d: 'M13 0l-5 8h4l-3 6l8 -9h-4l3 -5z' })), 'fault'),
      key(s('rect', { class: 'gap', x: 2, y: 1, width: 22, height: 12 }), 'idle time, folded'));
  }

  // Findings and the first difference, each with a link to its moment.
  marks(holder) {
    const marks = DATA.marks.map(mark => ({ ...mark, which: mark.view === null || DATA.views.length < 2 ? '' : DATA.views[mark.view].name }));
    if (DATA.difference) marks.unshift({ at: DATA.difference.at[0], tone: 'bad', title: 'first difference', text: DATA.difference.text, which: '' });
    if (!marks.length) return;
    holder.prepend(h('h2', {}, `Found (${marks.length})`), h('ul', { class: 'marks' }, marks.map(mark => h('li', { class: mark.tone },
      h('a', { href: '#t=' + ms(mark.at) }, ms(mark.at) + ' ms'), ' ', h('b', {}, mark.title), mark.who ? ` ${mark.who}` : '', mark.which ? h('span', { class: 'which' }, mark.which) : null,
      mark.text ? h('p', {}, mark.text) : null))));
  }

  measure() {
    const busy = this.items.filter(isBusy).flatMap(item => item.until === null ? [item.at] : [item.at, item.until]);
    for (const mark of DATA.marks) busy.push(mark.at);
    this.axis = new Axis(busy, this.end, this.folded);
    this.window = [0, this.axis.length];
  }

  shows(item) {
    if (!this.layers.has(item.layer)) return false;
    if (this.badOnly && !item.bad && !item.lost) return false;
    if (item.from === null) return true;
    return this.hosts.has(item.host) && (item.to === null || this.hosts.has(item.whom) || item.kind !== 'packet' && item.kind !== 'message-sent');
  }

  matches(item) { return item.search.includes(this.query); }

  refilter() {
    this.list.refilter();
    this.found.textContent = this.query ? `${this.list.rows.length} found` : '';
    this.draw();
  }

  draw() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.views.forEach(lanes => lanes.draw());
    });
  }

  select(item, quiet = false) {
    this.selected = item;
    this.time = item.at;
    this.details.show(item);
    this.into(item.at);
    this.list.follow();
    this.moved();
    if (quiet) this.list.body.querySelector('.selected')?.focus({ preventScroll: true });
  }

  // To a moment. `near` also selects what is nearest to it.
  go(time, near) {
    this.time = Math.max(0, Math.min(this.end, time));
    if (near) {
      const row = this.list.rows[this.list.rowAt(this.time - 1e-9)];
      if (row && row.item.at - this.time < 100) return this.select(row.item);
    }
    this.selected = null;
    this.details.show(null);
    this.into(this.time);
    this.list.follow();
    this.moved();
  }

  moved() {
    this.sources.forEach(source => source.follow(this.time));
    this.link = '#t=' + ms(Math.round(this.time * 1000) / 1000);
    if (location.hash !== this.link) history.replaceState(null, '', this.link);
    this.draw();
  }

  // The window is moved so that this moment is in it.
  into(time) {
    const place = this.axis.place(time), [a, b] = this.window, margin = (b - a) * 0.08;
    if (place < a + margin || place > b - margin) this.frame(place - (b - a) / 2, b - a);
  }

  frame(from, length) {
    const whole = this.axis.length;
    length = Math.max(Math.min(length, whole), Math.min(4, whole));
    from = Math.max(0, Math.min(whole - length, from));
    this.window = [from, from + length];
    this.draw();
  }

  zoom(by, around = null) {
    const [a, b] = this.window;
    const cursor = this.axis.place(this.time);
    const fixed = around ?? (cursor >= a && cursor <= b ? cursor : (a + b) / 2);
    this.frame(fixed - (fixed - a) * by, (b - a) * by);
  }

  pan(by) { const [a, b] = this.window; this.frame(a + by * (b - a), b - a); }
  fit() { this.frame(0, this.axis.length); }

  toggleScale() {
    this.folded = !this.folded;
    this.mode.textContent = this.folded ? 'to scale' : 'folded';
    this.measure();
    this.draw();
  }

  hash() {
    const at = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (!at) {
      const first = this.items.find(item => item.kind === 'action');
      this.time = first ? first.at : 0;
      this.sources.forEach(source => source.follow(this.time));
      this.list.follow();
      return;
    }
    this.frame(this.axis.place(Number(at[1])) - 150, 300);
    this.go(Number(at[1]), true);
  }

  // Drag moves, two fingers zoom, the wheel zooms over the axis or with Ctrl.
  drags(svg, lanes) {
    const fingers = new Map();
    svg.addEventListener('pointerdown', event => {
      fingers.set(event.pointerId, event.clientX);
      this.dragged = false;
    });
    svg.addEventListener('pointermove', event => {
      if (!fingers.has(event.pointerId)) return;
      const before = [...fingers.values()], was = fingers.get(event.pointerId), by = event.clientX - was;
      if (fingers.size === 1 && !this.dragged && Math.abs(by) < 4) return;
      if (!this.dragged) svg.setPointerCapture(event.pointerId);
      this.dragged = true;
      fingers.set(event.pointerId, event.clientX);
      const [a, b] = this.window;
      if (fingers.size === 2) {
        const after = [...fingers.values()], wide = xs => Math.max(10, Math.abs(xs[0] - xs[1]));
        const middle = (after[0] + after[1]) / 2 - svg.getBoundingClientRect().left;
        this.zoom(wide(before) / wide(after), a + (middle - lanes.gutter) / lanes.scale);
      } else this.frame(a - by / lanes.scale, b - a);
    });
    for (const end of ['pointerup', 'pointercancel']) svg.addEventListener(end, event => { fingers.delete(event.pointerId); setTimeout(() => { this.dragged = false; }, 0); });
    svg.addEventListener('wheel', event => {
      const box = svg.getBoundingClientRect(), around = this.window[0] + (event.clientX - box.left - lanes.gutter) / lanes.scale;
      if (event.ctrlKey || event.metaKey || event.clientY - box.top < AXIS + 2 * STRIP) this.zoom(Math.exp(event.deltaY * 0.0025), around);
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan((event.deltaX || event.deltaY) / box.width);
      else return;
      event.preventDefault();
    }, { passive: false });
    svg.addEventListener('dblclick', event => this.zoom(0.4, this.window[0] + (event.clientX - svg.getBoundingClientRect().left - lanes.gutter) / lanes.scale));
  }

  listen() {
    const keys = {
      ArrowLeft: () => this.pan(-0.15), ArrowRight: () => this.pan(0.15), '+': () => this.zoom(1 / 1.4), '=': () => this.zoom(1 / 1.4), '-': () => this.zoom(1.4),
      0: () => this.fit(), Home: () => this.go(0), End: () => this.go(this.end), n: () => this.list.step(1), p: () => this.list.step(-1), x: () => this.list.step(1, item => item.bad || item.lost),
      s: () => this.toggleScale(), t: () => theme.next(), '/': () => this.search.focus(), '?': () => this.help(),
    };
    document.addEventListener('keydown', event => {
      if (event.target === this.search) {
        if (event.key === 'Enter') this.list.step(event.shiftKey ? -1 : 1);
        if (event.key === 'Escape') { this.search.value = ''; this.query = ''; this.refilter(); this.board.focus(); }
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
      keys[event.key]();
      event.preventDefault();
    });
    document.getElementById('keys').addEventListener('click', () => this.help());
    addEventListener('hashchange', () => this.hash());
    new ResizeObserver(() => { this.draw(); this.series.resize(); }).observe(this.board);
    theme.changed = () => this.series.draw();
  }

  help() {
    const help = document.getElementById('help');
    help.hidden = !help.hidden;
    document.getElementById('keys').setAttribute('aria-expanded', String(!help.hidden));
  }
}

theme.start();
new App(document.getElementById('app'));
document.documentElement.dataset.ready = 'yes';
