// Everything that can be selected, of one view, in order of time: entries of the timeline, messages, packets.

// What is filtered by; `off` are not shown at first.
const LAYERS = [
  { id: 'state', name: 'state machines' },
  { id: 'signalling', name: 'signalling' },
  { id: 'ice', name: 'ICE and STUN' },
  { id: 'dtls', name: 'DTLS' },
  { id: 'media', name: 'media' },
  { id: 'data', name: 'data' },
  { id: 'tcp', name: 'TCP', off: true },
  { id: 'script', name: 'script and faults' },
  { id: 'other', name: 'notes' },
];

const ENTRY_LAYERS = {
  'transition': 'state', 'message-sent': 'signalling', 'message-received': 'signalling', 'message-held': 'signalling',
  'candidate': 'ice', 'candidate-error': 'ice', 'pair-selected': 'ice', 'negotiation-needed': 'signalling', 'track': 'media',
  'stream': 'media', 'media': 'media', 'statistics': 'media', 'action': 'script', 'fault': 'script', 'problem': 'other', 'note': 'other',
};

const BAD_STATES = ['failed', 'disconnected'];

class Item {
  constructor(view, at, layer, from, text) {
    Object.assign(this, { view, at, layer, from, text, to: null, until: null, bad: false, kind: 'entry' });
  }
  get host() { return this.from === null ? 'network' : this.view.lanes[this.from]; }
  get who() { return this.pair ? `${this.host}, pair with ${this.pair}` : this.host; }
  get whom() { return this.to === null ? '' : this.view.lanes[this.to]; }
  get search() { return (this.found ??= [this.who, this.whom, this.text, this.event ? JSON.stringify(this.event) : '', this.addresses || ''].join(' ').toLowerCase()); }
}

// Puts the packets, which come as columns, beside the entries.
function itemsOf(view) {
  const items = [];
  const sent = new Map();
  const bodies = new Map(view.messages.map(message => [message.from + ' ' + message.id, message.body]));
  for (const line of view.entries) {
    const item = new Item(view, line.at, ENTRY_LAYERS[line.event.event] || 'other', line.lane, line.text);
    item.event = line.event;
    item.kind = line.event.event;
    item.pair = line.pair;
    const e = line.event;
    if (e.event === 'message-sent') {
      item.to = view.lanes.indexOf(shown(e.to));
      if (item.to < 0) item.to = null;
      item.label = e.kind;
      item.body = bodies.get(rawName(view, line.lane) + ' ' + e.id);
      sent.set([view.lanes[line.lane], shown(e.to), e.id].join(' '), item);
    } else if (e.event === 'message-received') {
      const whole = sent.get([shown(e.from), view.lanes[line.lane], e.id].join(' '));
      item.peer = whole;
      if (whole) {
        item.body = whole.body;
        if (whole.until === null) { whole.until = line.at; whole.to = line.lane; }
      }
    }
    item.bad = e.event === 'problem' || e.event === 'candidate-error' || e.event === 'candidate' && e.fate === 'rejected'
      || e.event === 'transition' && (BAD_STATES.includes(e.to) || e.reason && !['hung-up', 'completed'].includes(e.reason) && e.to === 'ended' && /fail|lost|time|error/.test(e.reason));
    items.push(item);
  }
  for (const arrow of view.arrows) {
    const item = new Item(view, arrow.at, 'signalling', arrow.from, arrow.text);
    Object.assign(item, { kind: 'message-sent', to: arrow.to, until: arrow.until, label: arrow.kind, body: arrow.body, event: { event: 'message-sent', kind: arrow.kind, to: arrow.to === null ? null : view.lanes[arrow.to] } });
    if (arrow.until === null && arrow.to !== null) item.lost = 'not received';
    items.push(item);
  }
  for (const item of sent.values()) if (item.until === null && item.to !== null) item.lost = 'not received';
  const p = view.packets;
  let at = 0, media = 0;
  for (let i = 0; i < p.at.length; i++) {
    at += p.at[i];
    const flow = p.flows[p.flow[i]], content = p.protocols[p.protocol[i]], fate = p.verdicts[p.verdict[i]];
    const item = new Item(view, at / 1000, content.layer, flow.from, content.text);
    item.kind = 'packet';
    item.packet = i;
    item.to = flow.to;
    item.until = fate.arrived ? item.at + p.transit[i] / 1000 : null;
    item.fate = fate;
    if (content.text === 'srtp') item.media = media++;
    item.bad = !fate.plain && fate.text !== 'in flight';
    if (!fate.arrived && fate.text !== 'in flight') item.lost = fate.text;
    items.push(item);
  }
  items.sort((a, b) => a.at - b.at);
  items.forEach((item, index) => { item.index = index; });
  return items;
}

// Names are shown with what steers escaped; messages have them as they are.
const rawName = (view, lane) => (view.raw ??= new Map(view.messages.map(message => [shown(message.from), message.from]))).get(view.lanes[lane]);

// What keeps the axis unfolded: all but what happens all the time.
const isBusy = item => !(item.kind === 'statistics' || item.layer === 'media' && item.kind === 'packet' || item.layer === 'tcp' || item.layer === 'data'
  || item.kind === 'packet' && item.layer === 'ice' && !item.bad);

const isMedia = item => item.kind === 'packet' && item.layer === 'media';

// What an item says in one line.
function oneLine(item) {
  if (item.kind === 'packet') {
    const size = item.view.packets.len[item.packet] + ' B';
    return item.text + ', ' + size + (item.fate.plain ? '' : ': ' + item.fate.text);
  }
  return item.text;
}
