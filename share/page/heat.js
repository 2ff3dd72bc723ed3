/* heat - a correlation matrix as colours that everybody can tell apart: blue is -1, orange +1. */
'use strict';

const VERSIONS_HELD = 200;
const CELLS_HELD = 2e6; // of all versions: a matrix of 2,000 symbols alone is as much

class HeatMap {
  constructor(canvas, note, cell, slider) {
    this.canvas = canvas;
    this.note = note;
    this.cell = cell;
    this.slider = slider;
    this.palette = HeatMap.palette();
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
    if (last && last.version === matrix.version) return;
    if (last && last.version > matrix.version) this.past = []; // of another log
    this.past.push(matrix);
    for (const cells = m => m.matrix.length ** 2 / 2; this.past.length > 1 &&
        (this.past.length > VERSIONS_HELD || this.past.reduce((sum, m) => sum + cells(m), 0) > CELLS_HELD);) {
      this.past.shift();
      if (!this.follow) this.slider.value = Math.max(0, this.slider.value - 1);
    }
    this.slider.max = this.past.length - 1;
    this.slider.disabled = this.past.length < 2;
    if (this.follow) this.slider.value = this.past.length - 1;
    this.draw();
  }

  shown() {
    return this.past[+this.slider.value];
  }

  // Of -1 to 1 in 511 steps, and grey where there is no value: the four bytes of a point, as the canvas has them.
  static palette() {
    const bytes = new Uint8ClampedArray(4 * 512);
    for (let i = 0; i <= 510; i++) {
      const t = Math.abs(i - 255) / 255, to = i < 255 ? [0, 114, 178] : [213, 94, 0];
      bytes.set([...to.map(c => Math.round(245 + (c - 245) * t)), 255], 4 * i);
    }
    bytes.set([150, 150, 150, 255], 4 * 511);
    return new Uint32Array(bytes.buffer);
  }

  static shade(v) {
    return v === null || v === undefined ? 511 : Math.round(255 + 255 * Math.max(-1, Math.min(1, v)));
  }

  // A point for each cell; the canvas makes them as large as they have to be.
  points(m, n) {
    const small = document.createElement('canvas'), g = small.getContext('2d');
    small.width = small.height = n;
    const image = g.createImageData(n, n), points = new Uint32Array(image.data.buffer);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) points[i * n + j] = points[j * n + i] = this.palette[HeatMap.shade(m.matrix[i][j])];
    }
    g.putImageData(image, 0, 0);
    return small;
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
    g.imageSmoothingEnabled = false;
    if (n > 0) g.drawImage(this.points(m, n), margin, margin, n * step, n * step);
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
