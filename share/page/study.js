/* study - one of the daemon's own values beside the bars: an indicator or a tier-1 feature of the symbol. */
'use strict';

const STUDY_COLOURS = ['#009e73', '#cc79a7', '#56b4e9'];

class Study {
  constructor(candle, select) {
    this.candle = candle;
    this.select = select;
    this.lines = [];
    this.onPrice = new Set(); // indicators drawn over the bars; everything else stands below them
    select.addEventListener('change', () => this.redraw());
    this.clear();
  }

  // What the daemon's registry says of its indicators.
  know(indicators) {
    this.onPrice = new Set(indicators.filter(i => i.on_price).map(i => i.name));
  }

  clear() {
    this.values = new Map(); // name -> Map of bar_end in s -> number or object of outputs
    this.redraw();
  }

  // Events of the symbol's tier-1 stream, in their order: a revision's vector takes the place of the older one.
  take(events) {
    for (const e of events) {
      const at = Date.parse(e.time) / 1000;
      for (const [name, value] of Object.entries(e.indicators || e.values || {})) {
        if (!this.values.has(name)) this.values.set(name, new Map());
        this.values.get(name).set(at, value);
      }
    }
    for (const points of this.values.values()) keepNewest(points, BARS_SHOWN);
    this.offer();
    this.redraw();
  }

  // What there is, indicators first: they were asked for by name.
  offer() {
    const names = [...this.values.keys()].sort((a, b) => b.includes('(') - a.includes('(') || a.localeCompare(b));
    const held = [...this.select.options].slice(1).map(o => o.value);
    if (names.join() === held.join()) return;
    const chosen = this.select.value;
    this.select.replaceChildren(new Option('none', ''), ...names.map(n => new Option(n, n)));
    this.select.value = names.includes(chosen) ? chosen : '';
  }

  redraw() {
    const chart = this.candle.chart, name = this.select.value, points = this.values.get(name);
    if (!chart) return;
    if (this.shown !== name || !points) {
      this.lines.forEach(line => chart.removeSeries(line));
      this.lines = [];
    }
    this.shown = name;
    if (!points) return;
    // A value belongs to the bar that ends then; bars stand at their start.
    const starts = new Map([...this.candle.bars].map(([start, b]) => [Date.parse(b.timestamp_utc) / 1000, start]));
    const rows = [...points].filter(([end]) => starts.has(end)).map(([end, v]) => [starts.get(end), v]).sort((a, b) => a[0] - b[0]);
    const outputs = [...new Set(rows.flatMap(([, v]) => v !== null && typeof v === 'object' ? Object.keys(v) : ['']))];
    outputs.forEach((output, k) => {
      if (k === this.lines.length) {
        const look = {color: STUDY_COLOURS[k % STUDY_COLOURS.length], lineWidth: 1, priceLineVisible: false, title: output || name};
        this.lines.push(chart.addSeries(LightweightCharts.LineSeries, look, this.onPrice.has(name.split('(')[0]) ? 0 : 1));
      }
      this.lines[k].setData(rows.map(([time, v]) => {
        const value = v !== null && typeof v === 'object' ? v[output] : v;
        return typeof value === 'number' ? {time, value} : {time};
      }));
    });
    if (chart.panes().length > 1) chart.panes()[1].setHeight(110);
    this.candle.root.dataset.study = `${name} ${rows.length} ${this.lines.length}`;
  }
}
