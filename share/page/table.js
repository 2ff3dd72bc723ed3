/* table - a table of any number of rows, of which only those in sight are in the page. */
'use strict';

// What rounds to nothing has no sign.
function signed(x) {
  const text = x.toFixed(2);
  return +text === 0 ? '0.00' : (x > 0 ? '+' : '') + text;
}

const COLUMNS = [
  // title, value of a row, text of it, class of it
  ['symbol', r => r[1], r => r[1]],
  ['last', r => r[2], r => price(r[2])],
  ['change', r => r[3], r => r[3] === null ? '' : signed(r[3]) + ' %', r => r[3] === null ? '' : {'+': 'up', '-': 'down'}[signed(r[3])[0]] || ''],
  ['spread', r => spread(r), r => { const s = spread(r); return s === null ? '' : price(s); }],
  ['bar', r => r[6], r => r[6] + (r[8] > 0 ? ' r' + r[8] : ''), r => r[6] === 'blind' ? 'warn' : ''],
  ['bar end', r => r[7], r => r[7] > 0 ? new Date(r[7] * 1000).toISOString().slice(11, 19) : ''],
  ['buffer', r => r[9], r => String(r[9])],
  ['drops', r => r[10], r => String(r[10]), r => r[10] > 0 ? 'down' : ''],
  ['lag', r => r[11], r => r[11] < 0 ? '' : r[11] < 10000 ? r[11] + ' ms' : (r[11] / 1000).toFixed(0) + ' s'],
  ['ticks', r => r[12], r => r[12].toLocaleString('en')],
  ['source', r => r[14], r => r[14]],
];
const ROW = 24;

function price(v) {
  return v === null ? '' : String(Math.round(v * 1e6) / 1e6);
}

function spread(r) {
  return r[4] === null || r[5] === null ? null : Math.round((r[5] - r[4]) * 1e9) / 1e9;
}

class SymbolTable {
  constructor(root, onPick) {
    this.root = root;
    this.onPick = onPick;
    this.rows = new Map(); // id -> row
    this.order = [];       // rows as shown
    this.sort = [0, 1];    // column, direction
    this.filter = '';
    this.selected = null;
    this.pool = [];
    this.stale = true;
    this.head = document.createElement('div');
    this.head.className = 'head';
    this.head.setAttribute('role', 'row');
    COLUMNS.forEach(([title], i) => {
      const cell = document.createElement('div');
      const button = document.createElement('button');
      cell.setAttribute('role', 'columnheader');
      button.type = 'button';
      button.textContent = title;
      button.addEventListener('click', () => this.sortBy(i));
      cell.append(button);
      this.head.append(cell);
    });
    this.space = document.createElement('div');
    this.space.className = 'space';
    this.space.setAttribute('role', 'rowgroup');
    root.append(this.head, this.space);
    root.addEventListener('scroll', () => this.draw());
    root.addEventListener('keydown', e => this.key(e));
    this.sortBy(0, 1);
  }

  sortBy(column, direction) {
    this.sort = [column, direction || (this.sort[0] === column ? -this.sort[1] : column === 0 ? 1 : -1)];
    [...this.head.children].forEach((cell, i) => cell.setAttribute('aria-sort',
      i !== column ? 'none' : this.sort[1] > 0 ? 'ascending' : 'descending'));
    this.stale = true;
    this.draw();
  }

  setFilter(text) {
    this.filter = text.trim().toUpperCase();
    this.stale = true;
    this.root.scrollTop = 0;
    this.draw();
  }

  take(rows, full) {
    if (full) this.rows.clear();
    for (const r of rows) {
      if (!this.rows.has(r[0])) this.stale = true;
      this.rows.set(r[0], r);
    }
    // Names do not change: only another column's order does.
    if (this.sort[0] !== 0 || full) this.stale = true;
    this.draw();
  }

  arrange() {
    const [column, direction] = this.sort, value = COLUMNS[column][1];
    const shown = [];
    for (const r of this.rows.values()) {
      if (this.filter === '' || r[1].toUpperCase().includes(this.filter)) shown.push(r);
    }
    shown.sort((a, b) => {
      const x = value(a), y = value(b);
      if (x === y) return a[1] < b[1] ? -1 : 1;
      if (x === null) return 1;
      if (y === null) return -1;
      return (x < y ? -1 : 1) * direction;
    });
    this.order = shown.map(r => r[0]);
    this.space.style.height = this.order.length * ROW + 'px';
    this.root.setAttribute('aria-rowcount', this.order.length + 1);
    this.stale = false;
  }

  line() {
    const row = document.createElement('div');
    row.className = 'row';
    row.setAttribute('role', 'row');
    for (let i = 0; i < COLUMNS.length; i++) {
      const cell = document.createElement('div');
      cell.setAttribute('role', 'gridcell');
      row.append(cell);
    }
    row.addEventListener('click', () => this.pick(row.dataset.id | 0));
    this.space.append(row);
    return row;
  }

  draw() {
    if (document.hidden) return; // nobody looks: the next one that is seen has it all
    if (this.stale) this.arrange();
    const top = Math.max(0, Math.floor(this.root.scrollTop / ROW) - 3);
    const n = Math.min(this.order.length - top, Math.ceil(this.root.clientHeight / ROW) + 6);
    while (this.pool.length < n) this.pool.push(this.line());
    this.pool.forEach((row, i) => {
      row.hidden = i >= n;
      row.style.display = i >= n ? 'none' : '';
      if (i < n) this.fill(row, this.order[top + i], top + i);
    });
  }

  fill(row, id, at) {
    const r = this.rows.get(id);
    row.dataset.id = id;
    row.style.top = at * ROW + 'px';
    row.setAttribute('aria-rowindex', at + 2);
    row.setAttribute('aria-selected', id === this.selected);
    COLUMNS.forEach(([, , text, cls], i) => {
      const cell = row.children[i], t = text(r), c = cls ? cls(r) : '';
      if (cell.textContent !== t) cell.textContent = t;
      if (cell.className !== c) cell.className = c;
    });
  }

  pick(id) {
    this.selected = id;
    this.draw();
    this.onPick(this.rows.get(id));
  }

  key(e) {
    const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -1e9, End: 1e9};
    if (e.target.tagName === 'BUTTON' && e.key === 'Enter') return;
    if (e.key === 'Enter' && this.selected !== null) {
      this.onPick(this.rows.get(this.selected));
    } else if (e.key in steps && this.order.length > 0) {
      const was = this.order.indexOf(this.selected);
      const at = Math.max(0, Math.min(this.order.length - 1, (was < 0 ? -1 : was) + steps[e.key]));
      this.selected = this.order[at];
      if (at * ROW < this.root.scrollTop) this.root.scrollTop = at * ROW;
      if ((at + 3) * ROW > this.root.scrollTop + this.root.clientHeight) this.root.scrollTop = (at + 3) * ROW - this.root.clientHeight;
      this.draw();
    } else {
      return;
    }
    e.preventDefault();
  }
}
