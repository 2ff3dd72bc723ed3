/* heat - a correlation matrix as colours that everybody can tell apart: blue is -1, orange +1. */
'use strict';

class HeatMap {
  constructor(canvas, note, cell, slider) {
    this.canvas = canvas;
    this.note = note;
    this.cell = cell;
    this.slider = slider;
    this.past = [];     // matrices by version, oldest first
    this.follow = true; // show the newest
    canvas.addEventListener('mousemove', e => this.point(e));
    canvas.addEventListener('keydown', e => this.key(e));
    slider.addEventListener('input', () => {
      this.follow = +slider.value === this.past.length - 1;
      this.draw();
    });
    this.at = [0, 0];
  }

  reset() {
    this.past = [];
    this.follow = true;
    this.slider.disabled = true;
    this.note.textContent = 'no matrix yet';
    this.canvas.getContext('2d').clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  take(matrix) {
    const last = this.past[this.past.length - 1];
    if (last && last.version >= matrix.version) return;
    this.past.push(matrix);
    if (this.past.length > 200) this.past.shift();
    this.slider.max = this.past.length - 1;
    this.slider.disabled = this.past.length < 2;
    if (this.follow) this.slider.value = this.past.length - 1;
    this.draw();
  }

  shown() {
    return this.past[+this.slider.value];
  }

  static colour(v) {
    if (v === null || v === undefined) return 'rgb(150,150,150)';
    const t = Math.min(1, Math.abs(v)), to = v < 0 ? [0, 114, 178] : [213, 94, 0];
    return `rgb(${to.map(c => Math.round(245 + (c - 245) * t)).join(',')})`;
  }

  value(m, i, j) {
    return i >= j ? m.matrix[i][j] : m.matrix[j][i];
  }

  draw() {
    const m = this.shown();
    if (!m) return;
    const names = m.members.filter(x => x.reason === 'included').map(x => x.symbol), n = names.length;
    const size = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1));
    const g = this.canvas.getContext('2d');
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    g.clearRect(0, 0, size, size);
    const margin = n <= 60 ? size * 0.11 : 0, step = (size - margin) / Math.max(1, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        g.fillStyle = HeatMap.colour(this.value(m, i, j));
        g.fillRect(margin + j * step, margin + i * step, Math.ceil(step), Math.ceil(step));
      }
    }
    if (margin > 0) {
      g.fillStyle = getComputedStyle(document.body).color;
      g.font = `${Math.min(step * 0.75, margin * 0.22)}px system-ui, sans-serif`;
      g.textBaseline = 'middle';
      names.forEach((name, i) => {
        g.fillText(name, 2, margin + (i + 0.5) * step, margin - 4);
        g.save();
        g.translate(margin + (i + 0.5) * step, margin - 3);
        g.rotate(-Math.PI / 2);
        g.fillText(name, 0, 0, margin - 4);
        g.restore();
      });
    }
    this.frame = {margin, step, n, names, m};
    const out = m.members.filter(x => x.reason !== 'included').map(x => `${x.symbol} (${x.reason})`);
    this.note.textContent = `version ${m.version}, as of ${m.as_of.slice(0, 19)}Z, ${m.status}, ${n} symbols` +
      (out.length ? `; excluded: ${out.join(', ')}` : '');
    this.canvas.setAttribute('aria-label', `Correlation heat map: ${this.note.textContent}`);
    this.say();
  }

  say() {
    const f = this.frame;
    if (!f || f.n === 0) return;
    const [i, j] = this.at.map(x => Math.min(x, f.n - 1)), v = this.value(f.m, i, j);
    this.cell.textContent = `${f.names[i]} and ${f.names[j]}: ${v === null ? 'no value' : v.toFixed(3)}`;
  }

  point(e) {
    const f = this.frame, box = this.canvas.getBoundingClientRect();
    if (!f) return;
    const scale = this.canvas.width / box.width;
    const j = Math.floor(((e.clientX - box.left) * scale - f.margin) / f.step), i = Math.floor(((e.clientY - box.top) * scale - f.margin) / f.step);
    if (i >= 0 && j >= 0 && i < f.n && j < f.n) {
      this.at = [i, j];
      this.say();
    }
  }

  key(e) {
    const moves = {ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1]}, move = moves[e.key];
    if (!move || !this.frame) return;
    this.at = this.at.map((x, k) => Math.max(0, Math.min(this.frame.n - 1, x + move[k])));
    this.say();
    e.preventDefault();
  }
}
