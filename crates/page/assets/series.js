// Figures over time, drawn with uPlot: from packets and from the statistics of peers.

const BIN = 250;

// Per receiving lane, in bins of a quarter of a second: what arrived, what was lost, how long packets were under way and in queues.
function seriesOf(lanes) {
  const view = lanes.view, bins = Math.max(2, Math.ceil(view.end / BIN) + 1);
  const x = Array.from({ length: bins }, (_, bin) => bin * BIN / 1000);
  const names = view.lanes, fill = () => names.map(() => new Array(bins).fill(0));
  const [bytes, sent, lost, queue, delay] = [fill(), fill(), fill(), fill(), fill()];
  const round = names.map(() => new Array(bins).fill(null)), buffered = names.map(() => new Array(bins).fill(null));
  for (const item of lanes.items) {
    const bin = Math.min(bins - 1, Math.floor(item.at / BIN));
    if (item.kind === 'statistics' && item.event.round_trip_ms !== null) round[item.from][bin] = item.event.round_trip_ms;
    const held = item.kind === 'note' && / (\d+) bytes are buffered/.exec(item.text);
    if (held) buffered[item.from][bin] = Number(held[1]) / 1000;
    if (item.kind !== 'packet' || item.to === null) continue;
    const p = view.packets;
    if (item.layer === 'tcp') continue;
    if (item.layer === 'media') { sent[item.to][bin]++; if (item.lost) lost[item.to][bin]++; }
    if (item.until === null) continue;
    bytes[item.to][Math.min(bins - 1, Math.floor(item.until / BIN))] += p.len[item.packet];
    delay[item.to][bin] = Math.max(delay[item.to][bin], p.transit[item.packet] / 1000);
    queue[item.to][bin] = Math.max(queue[item.to][bin], (p.spent[item.packet] || [0])[0] / 1000);
  }
  const some = of => of.some(values => values.some(Boolean));
  const charts = [];
  const add = (title, unit, of) => {
    const with_values = names.map((name, lane) => [name, of[lane]]).filter(it => it[1].some(Boolean));
    if (with_values.length && some(of)) charts.push({ title, unit, x, lines: with_values });
  };
  add('Received', 'kbit/s', bytes.map(values => values.map(sum => sum * 8 / BIN)));
  add('Media lost on the way', '%', lost.map((values, lane) => values.map((count, bin) => sent[lane][bin] ? 100 * count / sent[lane][bin] : null)));
  add('Longest time under way', 'ms', delay);
  add('Longest time in queues', 'ms', queue);
  add('Round trip (statistics)', 'ms', round);
  add('Buffered in data channels', 'kB', buffered);
  return charts;
}

class Series {
  constructor(app, holder) {
    Object.assign(this, { app, holder, plots: [] });
    holder.append(h('h2', {}, 'Over time'), (this.body = h('div', { class: 'charts' })));
    this.groups = app.views.map(lanes => ({ name: lanes.view.name, charts: seriesOf(lanes) }));
    holder.hidden = this.groups.every(group => !group.charts.length);
  }

  draw() {
    this.plots.forEach(plot => plot.destroy());
    this.plots = [];
    const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const colours = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6'].map(css), dashes = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 4], [1, 4]];
    const axis = { stroke: css('--dim'), grid: { stroke: css('--line'), width: 1 }, ticks: { stroke: css('--line') }, font: '11px system-ui, sans-serif' };
    this.body.replaceChildren();
    for (const group of this.groups) for (const chart of group.charts) {
      const title = (this.groups.length > 1 ? group.name + ': ' : '') + `${chart.title}, ${chart.unit}`;
      const place = h('figure', { 'aria-label': title }, h('figcaption', {}, title));
      this.body.append(place);
      const decimals = value => value === null || value === undefined ? '–' : String(Math.round(value * 10) / 10);
      this.plots.push(new uPlot({
        width: Math.max(240, place.clientWidth), height: 130, cursor: { drag: { x: false, y: false }, points: { size: 5 } }, legend: { live: true },
        scales: { x: { time: false }, y: { range: (_, min, max) => [Math.min(0, min), Math.max(max, 1) * 1.1] } },
        axes: [{ ...axis, values: (_, ticks) => ticks.map(tick => tick + ' s'), size: 26 }, { ...axis, size: 48 }],
        series: [{ label: 's', value: (_, value) => decimals(value) }, ...chart.lines.map(([name], index) => ({
          label: shown(name), stroke: colours[index % 6], width: 1.5, dash: dashes[index % 6], spanGaps: true, value: (_, value) => decimals(value), points: { show: false },
        }))],
      }, [chart.x, ...chart.lines.map(line => line[1])], place));
      const plot = this.plots[this.plots.length - 1];
      plot.over.addEventListener('click', () => { const at = plot.posToVal(plot.cursor.left, 'x'); if (at >= 0) this.app.go(at * 1000, true); });
    }
  }

  resize() { for (const plot of this.plots) plot.setSize({ width: Math.max(240, plot.root.parentElement.clientWidth), height: 130 }); }
}
