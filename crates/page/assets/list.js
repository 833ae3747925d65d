// The list of all that happens: what the lanes show, in words, for keyboards and screen readers.

const ROWS = 160;

class List {
  constructor(app, holder) {
    Object.assign(this, { app, holder });
    this.open = new Set();
    this.body = h('ol', { class: 'rows', 'aria-label': 'Events and packets in order of time' });
    this.before = h('button', { type: 'button', class: 'more', onclick: () => this.move(-ROWS) }, '↑ earlier');
    this.after = h('button', { type: 'button', class: 'more', onclick: () => this.move(ROWS) }, '↓ later');
    this.head = h('h2', { id: 'list-head' }, 'Events');
    holder.append(this.head, this.before, this.body, this.after);
    this.body.addEventListener('click', event => {
      const row = event.target.closest('[data-row]');
      if (!row) return;
      const { item, folded } = this.rows[Number(row.dataset.row)];
      if (folded) { this.open.add(item); this.refilter(); }
      app.select(item, true);
    });
    this.first = 0;
  }

  // Rows of what is shown; media packets of one fate that follow each other share one.
  refilter() {
    const rows = [];
    let open = null;
    for (const item of this.app.items) {
      if (!this.app.shows(item) || this.app.query && !this.app.matches(item)) continue;
      const last = rows[rows.length - 1];
      const folds = isMedia(item) && !this.app.query;
      if (folds && last && last.folds && item.view === last.item.view && item.fate === last.item.fate) {
        last.count++;
        if (this.open.has(last.item) || open === last.item) { open = last.item; rows.push({ item, count: 1, folds: false }); }
        continue;
      }
      rows.push({ item, count: 1, folds });
    }
    for (const row of rows) row.folded = row.folds && row.count > 1 && !this.open.has(row.item);
    this.rows = rows;
    this.show(this.rowAt(this.app.time));
  }

  rowAt(time) {
    let low = 0, high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].item.at < time) low = middle + 1; else high = middle;
    }
    return low;
  }

  rowOf(item) {
    for (let row = this.rowAt(item.at); row < this.rows.length && this.rows[row].item.at === item.at; row++) {
      if (this.rows[row].item === item) return row;
    }
    return Math.max(0, this.rowAt(item.at + 1e-6) - 1);
  }

  move(by) { this.show(this.first + ROWS / 2 + by); this.body.scrollTop = by > 0 ? 0 : this.body.scrollHeight; }

  show(around) {
    this.first = Math.max(0, Math.min(around - ROWS / 4, this.rows.length - ROWS)) | 0;
    const two = this.app.views.length > 1;
    const rows = this.rows.slice(this.first, this.first + ROWS).map(({ item, count, folded }, index) => {
      const who = item.kind === 'packet' || item.kind === 'message-sent' && item.whom ? `${item.host} → ${item.whom || 'nobody'}` : item.who;
      return h('li', {},
        h('button', { type: 'button', 'data-row': this.first + index, class: `${item.layer} ${item.bad || item.lost ? 'bad' : ''} ${item === this.app.selected ? 'selected' : ''}`, 'aria-current': item === this.app.selected ? 'true' : null },
          h('span', { class: 'time' }, ms(item.at)),
          two ? h('span', { class: 'which' }, item.view.name) : null,
          h('span', { class: 'who' }, who),
          h('span', { class: 'text' }, (item.bad || item.lost ? '✗ ' : '') + (folded ? `media, ${count} packets${item.fate.plain ? '' : ': ' + item.fate.text}…` : oneLine(item)) + (item.lost && item.kind === 'message-sent' ? ' (not received)' : ''))));
    });
    this.body.replaceChildren(...rows);
    this.before.hidden = this.first === 0;
    this.after.hidden = this.first + ROWS >= this.rows.length;
    this.head.textContent = `Events (${this.rows.length})`;
    if (!this.rows.length) this.body.append(h('li', { class: 'none' }, 'Nothing is shown: no kind is chosen, or nothing matches.'));
    this.reveal();
  }

  // The selected row, or the one nearest to the cursor, is in sight.
  reveal() {
    const row = this.app.selected ? this.rowOf(this.app.selected) : this.rowAt(this.app.time);
    const button = this.body.querySelector(`[data-row="${row}"]`);
    if (button) {
      const at = button.offsetTop - this.body.offsetTop;
      if (at < this.body.scrollTop || at > this.body.scrollTop + this.body.clientHeight - 30) this.body.scrollTop = at - this.body.clientHeight / 3;
    }
  }

  follow() { this.show(this.app.selected ? this.rowOf(this.app.selected) : this.rowAt(this.app.time)); }

  // The item before or after the selected one, `where` it is one of these.
  step(by, where = () => true) {
    let row = this.app.selected ? this.rowOf(this.app.selected) : this.rowAt(this.app.time) - (by > 0 ? 1 : 0);
    do row += by; while (row >= 0 && row < this.rows.length && !where(this.rows[row].item));
    if (this.rows[row]) this.app.select(this.rows[row].item);
  }
}
