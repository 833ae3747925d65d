// From time to a place on the axis and back. Folded, idle time takes little room: between busy spans a gap is drawn as a few
// dozen milliseconds, more the longer it is. True to scale, a place is a time.

class Axis {
  // `busy` are moments at which something happens that matters.
  constructor(busy, end, folded) {
    const apart = 150, margin = 20;
    this.gaps = [];
    this.times = [0];
    this.places = [0];
    const to = (time, place) => { this.times.push(time); this.places.push(place); };
    const last = () => this.places[this.places.length - 1];
    if (!folded || !busy.length) {
      to(Math.max(end, 1), Math.max(end, 1));
      return;
    }
    const spans = [];
    for (const t of [...busy].sort((a, b) => a - b)) {
      const span = spans[spans.length - 1];
      if (span && t - span[1] <= apart) span[1] = t;
      else spans.push([t, t]);
    }
    const fold = (from, until) => {
      if (until - from <= 1) return;
      const room = Math.min(until - from, 18 + 9 * Math.log2(1 + (until - from) / apart));
      if (room < until - from) this.gaps.push([from, until]);
      to(until, last() + room);
    };
    for (const [from, until] of spans) {
      const [a, b] = [Math.max(from - margin, this.times[this.times.length - 1]), Math.min(until + margin, Math.max(end, until))];
      fold(this.times[this.times.length - 1], a);
      if (b > a) to(b, last() + (b - a));
    }
    fold(this.times[this.times.length - 1], end);
  }

  get length() { return this.places[this.places.length - 1]; }

  between(value, from, to) {
    let low = 0, high = from.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (from[middle] <= value) low = middle; else high = middle;
    }
    const width = from[high] - from[low];
    return width ? to[low] + (value - from[low]) * (to[high] - to[low]) / width : to[low];
  }

  place(time) { return this.between(time, this.times, this.places); }
  time(place) { return this.between(Math.max(0, Math.min(this.length, place)), this.places, this.times); }
}
