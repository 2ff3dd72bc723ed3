/* news - the newest headlines with their sentiment, of all symbols or of the one that is chosen. */
'use strict';

const HEADLINES = 60;      // as many as are shown
const NEWS_SETTLE = 3000;  // ms: what is published is stored, and so given out, a moment later
const NEWS_ANYHOW = 30000; // ms between two looks when nothing is said to be new

// The thresholds of VADER's authors (docs/NEWS.md).
function mood(compound) {
  const text = (compound < 0 ? '−' : '+') + Math.abs(compound).toFixed(2);
  if (compound >= 0.05) return ['good', `▲ positive ${text}`];
  if (compound <= -0.05) return ['bad', `▼ negative ${text}`];
  return ['even', `■ neutral ${text}`];
}

// What the symbol's window says with this article: number of articles, weighted mean, shares.
function windowText(e) {
  if (!e.articles) return 'no articles in the window';
  const percent = x => Math.round(100 * x) + ' %';
  const mean = e.weighted === null ? '' : `, mean ${mood(e.weighted)[1].split(' ').pop()}`;
  return `${e.articles} article${e.articles === 1 ? '' : 's'}${mean}, ${percent(e.positive)} good, ${percent(e.negative)} bad`;
}

// What flags say: an edited article, one that does not count.
function remarks(flags) {
  const words = {update: 'edited', repeat: 'repeated, not counted', late: 'late, not counted', cut: 'shortened'};
  return (flags || []).map(f => words[f] || f).join(', ');
}

class NewsList {
  constructor(list, note) {
    this.list = list;
    this.note = note;
    this.symbol = null; // null: all
    this.until = Infinity;
    this.next = 0;
    this.count = undefined;
    this.shown = '';
  }

  // The daemon has published @n by now.
  published(n) {
    if (n === this.count) return;
    this.count = n;
    this.until = performance.now() + NEWS_SETTLE;
  }

  of(symbol) {
    if (symbol === this.symbol) return;
    this.symbol = symbol;
    this.until = performance.now() + NEWS_SETTLE;
  }

  // Ask, if there may be something new; @api asks the daemon.
  async look(api) {
    const now = performance.now(), symbol = this.symbol;
    if (now > this.until && now < this.next) return;
    const said = await api('headlines', symbol === null ? {n: HEADLINES} : {n: HEADLINES, symbol});
    if (symbol !== this.symbol) return;
    this.next = now + NEWS_ANYHOW;
    if (this.until === Infinity) this.until = now + NEWS_SETTLE;
    this.show(said.headlines);
  }

  show(events) {
    const key = `${this.symbol} ` + events.map(e => `${e.symbol}/${e.seq}`).join(' ');
    if (key === this.shown) return;
    this.shown = key;
    this.list.replaceChildren(...events.map(e => this.line(e)));
    this.note.textContent = events.length === 0 ? (this.symbol === null ? '(none yet)' : `(none of ${this.symbol})`) : `(the newest ${events.length})`;
  }

  // Texts come from anywhere: they go into the page as text, never as markup; only an http address becomes a link.
  line(e) {
    const item = document.createElement('li');
    const part = (name, text, tag = 'span') => {
      const node = document.createElement(tag);
      node.className = name;
      node.textContent = text;
      return node;
    };
    const when = part('when', e.time.slice(0, 19).replace('T', ' ') + 'Z', 'time');
    when.dateTime = e.time.slice(0, 23) + 'Z';
    const title = part('title', ''), from = [e.publisher, e.publisher === e.source ? '' : e.source, remarks(e.flags)].filter(Boolean).join(', ');
    const headline = part('headline', e.headline, /^https?:\/\//.test(e.url) ? 'a' : 'span');
    if (headline.tagName === 'A') {
      headline.href = e.url;
      headline.rel = 'noreferrer noopener';
      headline.target = '_blank';
    }
    title.append(headline, part('from', ` (${from})`));
    const [look, text] = mood(e.compound);
    item.append(when, part('symbol', e.symbol), title, part(`mood ${look}`, text), part('window', windowText(e)));
    return item;
  }
}
