// What is known of the selected event or packet, and the scenario beside it.

// The header of an SRTP packet (RFC 3550 §5.1), of which the first twelve bytes are kept.
function mediaHeader(headers, number) {
  const bytes = Uint8Array.from(atob(headers.slice(16 * number, 16 * number + 16)), letter => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  return ['SRTP (RFC 3711), payload encrypted', [['payload type', bytes[1] & 127], ['marker', bytes[1] & 128 ? 'yes' : 'no'], ['sequence number', view.getUint16(2)],
    ['timestamp', view.getUint32(4)], ['SSRC', view.getUint32(8)], ['header extension', bytes[0] & 16 ? 'yes' : 'no']]];
}

class Details {
  constructor(app, holder) {
    Object.assign(this, { app, holder });
    this.body = h('div', { class: 'details', 'aria-live': 'polite' });
    holder.append(h('h2', {}, 'Details'), this.body);
  }

  show(item) {
    if (!item) {
      this.body.replaceChildren(h('p', { class: 'hint' }, 'Nothing is selected. Click an arrow, a band or a row, or press n.'));
      return;
    }
    const rows = [];
    const row = (name, value) => { if (value !== null && value !== undefined && value !== '') rows.push(h('dt', {}, name), h('dd', {}, value)); };
    row('at', h('a', { href: '#t=' + ms(item.at) }, ms(item.at) + ' ms'));
    if (this.app.views.length > 1) row('in', item.view.name);
    const parts = [];
    if (item.kind === 'packet') this.packet(item, row, parts);
    else this.event(item, row, parts);
    this.body.replaceChildren(h('h3', { class: item.bad || item.lost ? 'bad' : null }, item.kind === 'packet' ? item.text : item.text), h('dl', {}, rows), ...parts);
  }

  event(item, row, parts) {
    const e = item.event;
    if (e.event === 'transition') {
      row('who', item.who);
      row('machine', e.machine);
      row('from', e.from);
      row('to', e.to);
      row('reason', e.reason);
      row('cause', e.cause || 'not known');
    } else if (e.event === 'message-sent' || e.event === 'message-received') {
      const whole = item.event.event === 'message-sent' ? item : item.peer;
      row('from', whole ? whole.who : e.from);
      row('to', whole ? whole.whom || shown(e.to || '') : item.who);
      row('type', e.kind);
      row('number', e.id);
      row('detail', e.detail);
      if (whole) {
        row('sent', ms(whole.at) + ' ms');
        row('received', whole.until === null ? 'never' : `${ms(whole.until)} ms, ${duration(whole.until - whole.at)} later`);
      }
      if (item.body !== undefined) this.message(item.body, parts);
    } else {
      row('who', item.who);
      row('kind', e.event.replaceAll('-', ' '));
    }
    parts.push(h('details', { open: item.body === undefined && e.event !== 'transition' }, h('summary', {}, 'Event as JSON'), h('pre', {}, JSON.stringify(e, null, 1))));
  }

  // A message: its session description line by line, and the whole as JSON.
  message(body, parts) {
    const sdps = [];
    const strip = value => {
      if (Array.isArray(value)) return value.map(strip);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => {
        if (key === 'sdp' && typeof inner === 'string' && inner.startsWith('v=')) { sdps.push(inner); return [key, '(below)']; }
        return [key, strip(inner)];
      }));
    };
    const json = JSON.stringify(strip(body), null, 1);
    parts.push(h('details', { open: true }, h('summary', {}, 'Message as JSON'), h('pre', {}, json)));
    for (const sdp of sdps) {
      const lines = sdp.split(/\r?\n/).filter(Boolean).map(line => h('span', { class: line.startsWith('m=') ? 'media-line' : null }, line + '\n'));
      parts.push(h('details', { open: true }, h('summary', {}, `SDP, ${lines.length} lines`), h('pre', { class: 'sdp' }, lines)));
    }
  }

  packet(item, row, parts) {
    const p = item.view.packets, i = item.packet, flow = p.flows[p.flow[i]];
    row('from', `${item.who}, ${flow.addresses[0]}`);
    row('to', `${item.whom || 'nobody'}, ${flow.addresses[1]}`);
    const seen = p.translated[i];
    if (seen) row('behind NATs', `${seen[0]} to ${seen[1]}`);
    row('payload', p.len[i] + ' B');
    row('fate', item.fate.text);
    if (item.until !== null) {
      const [queued, processing, held] = p.spent[i] || [0, 0, 0], total = p.transit[i];
      row('arrived', `${ms(item.until)} ms, ${duration(total / 1000)} later`);
      const spent = [['queues', queued], ['receiving host', processing], ['waiting for retransmission', held], ['propagation', total - queued - processing - held]];
      row('of that', spent.filter(it => it[1]).map(([name, us]) => `${duration(us / 1000)} ${name}`).join(', '));
    }
    const layers = p.decoded[i] || (item.media !== undefined && p.headers ? [mediaHeader(p.headers, item.media)] : null);
    if (layers) parts.push(...layers.map(layer => this.layer(layer)));
  }

  // A layer of a packet: its name, and its fields, of which some have fields of their own.
  layer([name, fields]) {
    const rows = fields.map(([key, value]) => Array.isArray(value)
      ? h('div', { class: 'inner' }, this.layer([key, value]))
      : h('div', { class: 'field' }, h('span', {}, key), h('code', {}, value)));
    return h('details', { open: true, class: 'layer' }, h('summary', {}, name), rows);
  }
}

// The scenario file; the step that was carried out last is marked.
class SourceText {
  constructor(app, view, holder) {
    Object.assign(this, { app, view });
    const source = view.source;
    this.lines = source.text.replace(/\n$/, '').split('\n').map((line, index) => h('li', { 'data-line': index + 1 }, h('code', {}, line || ' ')));
    this.body = h('ol', { class: 'source', tabindex: 0, 'aria-label': source.file }, this.lines);
    holder.append(h('h2', {}, source.file), this.body);
    this.body.addEventListener('click', event => {
      const line = Number(event.target.closest('[data-line]')?.dataset.line);
      const step = source.steps.find(step => step.first <= line && line <= step.last);
      if (step) app.go(step.at_ms, true);
    });
  }

  follow(time) {
    const steps = this.view.source.steps.filter(step => step.at_ms <= time);
    const now = steps[steps.length - 1];
    const same = steps.filter(step => now && step.at_ms === now.at_ms);
    this.lines.forEach((line, index) => {
      const lit = same.some(step => step.first <= index + 1 && index + 1 <= step.last);
      line.classList.toggle('now', lit);
      if (lit) line.setAttribute('aria-current', 'step'); else line.removeAttribute('aria-current');
    });
    const first = now && this.lines[same[0].first - 1];
    if (first) this.body.scrollTop = Math.max(0, first.offsetTop - this.body.offsetTop - 60);
  }
}
