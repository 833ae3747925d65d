// The lanes of one view as SVG: state machines as bands, messages and packets as arrows with their true delay.

const MACHINES = ['call', 'signaling', 'gathering', 'ice', 'connection'];
const SHORT = { call: 'call', signaling: 'sig', gathering: 'gath', ice: 'ice', connection: 'conn' };
const STATE_TONES = {
  connected: 'good', completed: 'good', stable: 'good', complete: 'good', disconnected: 'warning', failed: 'bad',
  closed: 'off', ended: 'off', idle: 'off', new: 'off',
};
const BAND = 17, AXIS = 32, STRIP = 20, MOST_ARROWS = 2500;

class Lanes {
  constructor(app, view, holder) {
    Object.assign(this, { app, view, holder });
    this.items = itemsOf(view);
    this.bands = this.bandsOf();
    this.svg = s('svg', { role: 'img', class: 'lanes', 'aria-label': `${view.name}: lanes of ${view.lanes.join(', ')}. All that is in them is in the list below.` });
    holder.append(this.svg);
    this.svg.addEventListener('click', event => this.click(event));
    app.drags(this.svg, this);
  }

  // The states of each machine of each lane, from when until when.
  bandsOf() {
    const bands = this.view.lanes.map(() => new Map());
    for (const item of this.items) {
      const e = item.event;
      if (!e || e.event !== 'transition') continue;
      const of = bands[item.from];
      // Of many pairs there is room for one machine each.
      if (item.pair && e.machine !== 'connection') continue;
      const machine = item.pair ? '↔ ' + item.pair : e.machine;
      if (!of.has(machine)) of.set(machine, [{ from: 0, state: e.from, until: item.at, item: null }]);
      const states = of.get(machine);
      states[states.length - 1].until = item.at;
      states.push({ from: item.at, state: e.to, until: this.view.end, item });
    }
    return bands;
  }

  layout() {
    const lanes = this.view.lanes.length, hidden = !this.app.layers.has('state');
    const gap = lanes > 5 ? 46 : lanes > 3 ? 58 : lanes > 2 ? 82 : 130;
    let y = AXIS + 2 * STRIP + 8;
    this.rows = this.view.lanes.map((name, index) => {
      const pairs = [...this.bands[index].keys()].filter(machine => !MACHINES.includes(machine)).sort();
      const machines = hidden ? [] : [...MACHINES.filter(machine => this.bands[index].has(machine)), ...pairs];
      const row = { name, machines, below: index === lanes - 1 && lanes > 1 };
      if (row.below) {
        row.rail = y + gap;
        row.title = row.rail + 20;
        row.bands = row.title + 6;
        y = row.bands + machines.length * (BAND + 2) + 8;
      } else {
        row.title = y + (index ? gap - 18 : 14);
        row.bands = row.title + 6;
        row.rail = row.bands + machines.length * (BAND + 2) + 8;
        y = row.rail;
      }
      return row;
    });
    // Room for the names of findings.
    this.height = y + (lanes === 1 ? 12 : 4) + (DATA.marks.length || DATA.difference ? 44 : 0);
  }

  x(time) { return this.gutter + (this.app.axis.place(time) - this.app.window[0]) * this.scale; }
  timeAt(x) { return this.app.axis.time(this.app.window[0] + (x - this.gutter) / this.scale); }

  draw() {
    const { app, view } = this;
    this.width = Math.max(280, this.holder.clientWidth);
    this.narrow = this.width < 560;
    this.gutter = this.narrow ? 44 : 104;
    this.scale = (this.width - this.gutter) / (app.window[1] - app.window[0]);
    this.layout();
    const from = app.axis.time(app.window[0]), until = app.axis.time(app.window[1]);
    const clip = 'clip' + app.views.indexOf(this);
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute('width', this.width);
    this.svg.setAttribute('height', this.height);
    const plot = s('g', { 'clip-path': `url(#${clip})` });
    const gutter = s('g', {});
    this.axis(plot, from, until);
    this.strip(plot, gutter, from, until);
    this.rows.forEach((row, index) => this.lane(plot, gutter, row, index, from, until));
    this.arrows(plot, from, until);
    this.glyphs(plot, from, until);
    this.marks(plot);
    const x = this.x(app.time);
    plot.append(s('line', { class: 'cursor', x1: x, x2: x, y1: 0, y2: this.height }), s('path', { class: 'cursor-head', d: `M${x - 5} 0h10l-5 7z` }));
    this.svg.replaceChildren(
      s('defs', {},
        s('clipPath', { id: clip }, s('rect', { x: this.gutter, y: 0, width: this.width - this.gutter, height: this.height })),
        s('pattern', { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, s('rect', { class: 'hatch', width: 2, height: 6 })),
        s('marker', { id: 'head', viewBox: '0 0 8 8', refX: 7.5, refY: 4, markerWidth: 6, markerHeight: 6, orient: 'auto-start-reverse' }, s('path', { d: 'M0 0.5L8 4L0 7.5z', fill: 'context-stroke' }))),
      plot, gutter);
  }

  // Times, as close as there is room for; folded gaps are hatched and say how long they are.
  axis(plot, from, until) {
    const axis = this.app.axis;
    for (const [a, b] of axis.gaps) {
      if (b < from || a > until) continue;
      const [x1, x2] = [this.x(a), this.x(b)];
      plot.append(s('rect', { class: 'gap', x: x1, y: AXIS, width: Math.max(0, x2 - x1), height: this.height - AXIS }));
      plot.append(s('path', { class: 'break', d: `M${(x1 + x2) / 2 - 2} ${AXIS + 12}l4 -4l-4 -4l4 -4` }));
      if (x2 - x1 > 34) plot.append(s('text', { class: 'tick folded', x: (x1 + x2) / 2, y: 27, 'text-anchor': 'middle' }, duration(b - a)));
    }
    let free = -Infinity;
    const gapsAt = new Set(axis.gaps.map(gap => gap[0]));
    for (let i = 0; i + 1 < axis.times.length; i++) {
      const [a, b] = [Math.max(axis.times[i], from), Math.min(axis.times[i + 1], until)];
      if (b <= a || gapsAt.has(axis.times[i])) { if (gapsAt.has(axis.times[i])) free = Math.max(free, this.x(axis.times[i])); continue; }
      const perMs = (this.x(b) - this.x(a)) / (b - a);
      const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 60000, 300000, 600000].find(step => step * perMs >= 62) || 3600000;
      for (let t = Math.ceil(a / step) * step; t <= b; t += step) {
        const x = this.x(t);
        if (x < free) continue;
        plot.append(s('line', { class: 'grid', x1: x, x2: x, y1: AXIS - 6, y2: this.height }), s('text', { class: 'tick', x: x + 3, y: 14 }, this.narrow || t < 10000 ? t : ms(t)));
        free = x + 56;
      }
    }
    plot.append(s('rect', { class: 'axis', x: this.gutter, y: 0, width: this.width, height: AXIS }));
  }

  strip(plot, gutter, from, until) {
    const rows = [['script', item => item.kind === 'action'], ['faults', item => item.kind === 'fault']];
    rows.forEach(([name, is], index) => {
      const y = AXIS + 4 + index * STRIP;
      gutter.append(s('text', { class: 'machine', x: 4, y: y + 13 }, name));
      plot.append(s('line', { class: 'grid', x1: this.gutter, x2: this.width, y1: y + STRIP - 1, y2: y + STRIP - 1 }));
      if (!this.app.layers.has('script')) return;
      const steps = this.items.filter(item => is(item) && item.at >= from - 1 && item.at <= until + 1);
      steps.forEach((item, at) => {
        const x = this.x(item.at), next = at + 1 < steps.length ? this.x(steps[at + 1].at) : this.width;
        const room = Math.floor((next - x - 14) / 6.2);
        const text = (item.kind === 'action' ? item.who + ': ' : '') + item.text.replace(/^[·⚡] ?/, '');
        plot.append(s('g', { class: `step ${item.kind} ${this.state(item)}`, 'data-i': item.index },
          s('title', {}, `${ms(item.at)} ms: ${text}`),
          s('line', { class: 'drop', x1: x, x2: x, y1: y + 4, y2: this.height }),
          item.kind === 'fault' ? s('path', { class: 'flag', d: `M${x + 3} ${y + 2}l-5 8h4l-3 7l8 -10h-4l3 -5z` }) : s('path', { class: 'flag', d: `M${x} ${y + 3}l7 5l-7 5z` }),
          room > 3 ? s('text', { class: 'label', x: x + 10, y: y + 13 }, text.length > room ? text.slice(0, room - 1) + '…' : text) : null,
          s('rect', { class: 'target', x: x - 4, y, width: Math.max(12, Math.min(next - x, 8 + text.length * 6.2)), height: STRIP - 2 })));
      });
    });
  }

  lane(plot, gutter, row, index, from, until) {
    gutter.append(s('text', { class: 'lane-name', x: 4, y: row.title }, this.narrow && row.name.length > 24 ? row.name.slice(0, 23) + '…' : row.name));
    plot.append(s('line', { class: 'rail', x1: this.gutter, x2: this.width, y1: row.rail, y2: row.rail }));
    row.machines.forEach((machine, number) => {
      const y = row.bands + number * (BAND + 2);
      gutter.append(s('text', { class: 'machine', x: 4, y: y + 12 }, (this.narrow && SHORT[machine]) || machine));
      for (const band of this.bands[index].get(machine)) {
        if (band.until < from || band.from > until) continue;
        const [x1, x2] = [Math.max(this.x(band.from), this.gutter - 2), Math.min(this.x(band.until), this.width + 2)];
        if (x2 - x1 < 0.3) continue;
        const tone = STATE_TONES[band.state] || 'wait', room = Math.floor((x2 - x1 - 8) / 6.1);
        const item = band.item;
        plot.append(s('g', { class: `band ${tone} ${item ? this.state(item) : ''}`, 'data-i': item ? item.index : null },
          s('title', {}, `${row.name}, ${machine}: ${band.state}, ${ms(band.from)} to ${ms(band.until)} ms${item ? '\n' + item.text : ''}`),
          s('rect', { x: x1, y, width: Math.max(0.8, x2 - x1 - 1), height: BAND, rx: 2 }),
          tone === 'bad' ? s('rect', { class: 'hatched', x: x1, y, width: Math.max(0.8, x2 - x1 - 1), height: BAND, fill: 'url(#hatch)' }) : null,
          room > 2 ? s('text', { x: x1 + 4, y: y + 12 }, band.state.length > room ? band.state.slice(0, room - 1) + '…' : band.state) : null));
      }
    });
  }

  // How an item is shown: selected, found, or beside what is searched for.
  state(item) {
    const app = this.app;
    return (app.selected === item ? 'selected ' : '') + (app.query ? app.matches(item) ? 'found' : 'dim' : '');
  }

  arrows(plot, from, until) {
    const drawn = [], media = [];
    for (const item of this.items) {
      if (item.at > until) break;
      if (!(item.kind === 'packet' || item.kind === 'message-sent')) continue;
      if ((item.until ?? item.at + 300) < from || !this.app.shows(item)) continue;
      (isMedia(item) ? media : drawn).push(item);
    }
    this.media(plot, media);
    const labels = new Map();
    const quiet = drawn.length > MOST_ARROWS;
    let left = 0;
    for (const item of drawn) {
      if (quiet && !item.bad && item.kind === 'packet' && (left = left + MOST_ARROWS / drawn.length) < 1 && item !== this.app.selected) continue;
      left %= 1;
      this.arrow(plot, item, labels);
    }
  }

  // Media, where there is no room for each packet, as a comb along the sender's rail: how high says how many.
  media(plot, media) {
    const pixels = (this.width - this.gutter);
    if (media.length < pixels / 4) {
      media.forEach(item => this.arrow(plot, item, null));
      return;
    }
    const wide = 4, combs = new Map();
    for (const item of media) {
      const column = Math.floor(this.x(item.at) / wide), key = item.from + ' ' + column;
      if (!combs.has(key)) combs.set(key, { from: item.from, column, count: 0, lost: 0, first: item });
      const comb = combs.get(key);
      comb.count++;
      if (item.lost) { if (!comb.lost) comb.first = item; comb.lost++; }
    }
    const most = Math.max(...[...combs.values()].map(comb => comb.count));
    for (const comb of combs.values()) {
      const row = this.rows[comb.from], down = !row.below, full = 22;
      const height = Math.max(1.5, full * comb.count / most), bad = full * comb.lost / most;
      const x = comb.column * wide, y = down ? row.rail + 1 : row.rail - 1 - height;
      plot.append(s('g', { class: 'comb ' + this.state(comb.first), 'data-i': comb.first.index },
        s('title', {}, `${comb.count} media packets from ${row.name}${comb.lost ? ', ' + comb.lost + ' lost' : ''}`),
        s('rect', { class: 'media', x, y, width: wide - 1, height }),
        comb.lost ? s('rect', { class: 'lost', x, y: down ? y : y + height - bad, width: wide - 1, height: Math.max(bad, 3) }) : null));
    }
  }

  arrow(plot, item, labels) {
    const a = this.rows[item.from], b = item.to === null ? null : this.rows[item.to];
    if (!a || b === a) return;
    const up = b ? b.rail < a.rail : a.below, x1 = this.x(item.at), y1 = a.rail;
    const message = item.kind === 'message-sent';
    let x2, y2;
    if (item.until !== null && b) {
      [x2, y2] = [this.x(item.until), b.rail];
    } else {
      // Lost: how far it came is not shown, only that it did not arrive.
      const reach = b ? (b.rail - a.rail) * 0.45 : up ? -30 : 30;
      [x2, y2] = [x1 + Math.min(40, 12 * this.scale), y1 + reach];
    }
    const lost = item.lost;
    const text = `${ms(item.at)} ms: ${item.who} → ${item.whom || 'nobody'}: ${message ? item.text : oneLine(item)}`;
    const group = s('g', { class: `arrow ${message ? 'message' : 'packet ' + item.layer} ${lost ? 'lost' : item.bad ? 'odd' : ''} ${this.state(item)}`, 'data-i': item.index },
      s('title', {}, text + (message && lost ? ' (not received)' : '')),
      s('line', { class: 'wire', x1, y1, x2, y2, 'marker-end': lost ? null : 'url(#head)' }),
      s('line', { class: 'target', x1, y1, x2, y2 }),
      lost ? s('path', { class: 'cross', d: `M${x2 - 4} ${y2 - 4}l8 8m0 -8l-8 8` }) : null);
    if (labels && (message || lost)) {
      const label = message ? (lost ? item.label + ' (not received)' : item.label) : lost.replace(/^DROPPED[, ]*/, '').replace(/^LOST on the /, 'lost: ');
      const key = item.from + (message ? 'm' : 'l'), wide = label.length * 6.2 + 8;
      const free = labels.get(key) ?? -Infinity;
      const [x, y] = message ? [x1 + 5, y1 + (up ? -8 : 16)] : [x2 + 7, y2 + 4];
      if (x >= free && x > this.gutter && x < this.width - 20) {
        labels.set(key, x + wide);
        group.append(s('text', { class: 'label', x, y }, label));
      }
    }
    plot.append(group);
  }

  // What happens in a lane besides: on its rail.
  glyphs(plot, from, until) {
    const taken = new Map();
    for (const item of this.items) {
      if (item.at > until) break;
      if (item.at < from || item.from === null || !this.app.shows(item) || item.kind === 'packet' || item.kind === 'message-sent' || item.kind === 'action' || item.kind === 'transition' || item.kind === 'fault') continue;
      const row = this.rows[item.from], x = this.x(item.at), column = item.from + ' ' + Math.round(x / 5);
      const height = taken.get(column) || 0;
      if (height > 3 && !item.bad) continue;
      taken.set(column, height + 1);
      const y = row.rail + (row.below ? 1 : -1) * height * 4;
      const shape = item.bad ? s('path', { d: `M${x} ${y - 7}l6 11h-12z` }) : item.layer === 'ice' ? s('circle', { cx: x, cy: y, r: 3.2 })
        : item.layer === 'media' ? s('rect', { x: x - 3, y: y - 3, width: 6, height: 6 }) : item.layer === 'signalling' ? s('path', { d: `M${x} ${y - 4}l4 4l-4 4l-4 -4z` })
          : s('circle', { cx: x, cy: y, r: 2.4 });
      plot.append(s('g', { class: `glyph ${item.layer} ${item.bad ? 'bad' : ''} ${this.state(item)}`, 'data-i': item.index },
        s('title', {}, `${ms(item.at)} ms: ${item.who}: ${item.text}`), shape,
        item.bad ? s('text', { class: 'bang', x, y: y + 3, 'text-anchor': 'middle' }, '!') : null,
        s('circle', { class: 'target', cx: x, cy: y, r: 6 })));
    }
  }

  // Findings, and the first difference between two views.
  marks(plot) {
    const number = this.app.views.indexOf(this);
    const difference = DATA.difference;
    const marks = DATA.marks.filter(mark => mark.view === null || mark.view === number).map(mark => [mark.at, mark.tone, mark.title]);
    if (difference) marks.push([difference.at[number], 'bad', 'first difference']);
    let free = -Infinity, level = 0;
    for (const [at, tone, title] of marks.sort((a, b) => a[0] - b[0])) {
      const x = this.x(at);
      if (x < this.gutter - 1 || x > this.width + 1) continue;
      level = x < free ? (level + 1) % 3 : 0;
      free = x + title.length * 6.2 + 12;
      const left = x + title.length * 6.2 + 12 > this.width;
      plot.append(s('g', { class: 'mark ' + tone }, s('title', {}, `${ms(at)} ms: ${title}`),
        s('line', { x1: x, x2: x, y1: AXIS, y2: this.height }),
        s('text', { class: 'label', x: left ? x - 4 : x + 4, y: this.height - 5 - level * 13, 'text-anchor': left ? 'end' : 'start' }, '◆ ' + title)));
    }
  }

  click(event) {
    if (this.app.dragged) return;
    const place = event.target.closest('[data-i]');
    if (place) this.app.select(this.items[Number(place.dataset.i)]);
    else this.app.go(this.timeAt(event.clientX - this.svg.getBoundingClientRect().left), false);
  }
}
