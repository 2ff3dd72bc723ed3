/* candle - the bars of one symbol, with SMA 20 and its bands; revisions are marked. */
'use strict';

// A page may be open for days: of a map by time no more than twice @n are held, the newest.
function keepNewest(map, n) {
  if (map.size <= 2 * n) return;
  for (const time of [...map.keys()].sort((a, b) => a - b).slice(0, map.size - n)) map.delete(time);
}

const BARS_SHOWN = 1500;

class CandleChart {
  constructor(root, note) {
    this.root = root;
    this.note = note;
    this.bars = new Map(); // bar_start in s -> bar
    if (!window.LightweightCharts) {
      root.textContent = 'There is no chart library in this build: run tools/setup-page and build again.';
      return;
    }
    const L = LightweightCharts, dark = matchMedia('(prefers-color-scheme: dark)');
    this.chart = L.createChart(root, {autoSize: true, timeScale: {timeVisible: true, secondsVisible: false}});
    this.candles = this.chart.addSeries(L.CandlestickSeries, {});
    this.volume = this.chart.addSeries(L.HistogramSeries, {priceScaleId: 'volume', priceFormat: {type: 'volume'}, color: '#8894a855', lastValueVisible: false, priceLineVisible: false});
    this.chart.priceScale('volume').applyOptions({scaleMargins: {top: 0.82, bottom: 0}});
    this.lines = ['sma_20', 'bb_upper', 'bb_lower'].map((name, i) => this.chart.addSeries(L.LineSeries, {
      color: i === 0 ? '#0072b2' : '#cc79a7', lineWidth: 1, lastValueVisible: false, priceLineVisible: false, title: i === 0 ? 'SMA 20' : ''}));
    this.marks = L.createSeriesMarkers(this.candles, []);
    const paint = () => this.paint(dark.matches);
    dark.addEventListener('change', paint);
    paint();
  }

  paint(dark) {
    this.chart.applyOptions({
      layout: {background: {color: 'transparent'}, textColor: dark ? '#e6eaf1' : '#1b2330', attributionLogo: false},
      grid: {vertLines: {color: dark ? '#2c3544' : '#e6eaf1'}, horzLines: {color: dark ? '#2c3544' : '#e6eaf1'}},
    });
    // Orange and blue: told apart by everybody.
    const up = dark ? '#56b4e9' : '#0072b2', down = dark ? '#e69f00' : '#d55e00';
    this.candles.applyOptions({upColor: up, borderUpColor: up, wickUpColor: up, downColor: down, borderDownColor: down, wickDownColor: down});
  }

  clear() {
    this.bars.clear();
    this.fitted = false;
    this.redraw();
  }

  // Events of catch-up, in their order: a later revision of a bar takes its place.
  take(events) {
    for (const e of events) {
      if (e.close === null) continue;
      this.bars.set(Date.parse(e.bar_start) / 1000, e);
    }
    keepNewest(this.bars, BARS_SHOWN);
    this.redraw();
  }

  redraw() {
    if (!this.chart) return;
    const all = [...this.bars].sort((a, b) => a[0] - b[0]).slice(-BARS_SHOWN);
    this.candles.setData(all.map(([time, b]) => ({time, open: b.open, high: b.high, low: b.low, close: b.close})));
    this.volume.setData(all.map(([time, b]) => ({time, value: b.volume || 0})));
    const closes = all.map(([, b]) => b.close), on = this.bands ? 20 : Infinity, lines = [[], [], []];
    for (let i = on - 1; i < closes.length; i++) {
      const w = closes.slice(i - 19, i + 1), mean = w.reduce((a, b) => a + b) / 20;
      const sd = Math.sqrt(w.reduce((a, b) => a + (b - mean) ** 2, 0) / 20);
      [mean, mean + 2 * sd, mean - 2 * sd].forEach((value, k) => lines[k].push({time: all[i][0], value}));
    }
    this.lines.forEach((line, k) => line.setData(lines[k]));
    const revised = all.filter(([, b]) => b.revision > 0 && b.cause !== 'final');
    this.marks.setMarkers(revised.map(([time, b]) => ({time, position: 'aboveBar', shape: 'circle', color: '#8a5300', size: 0.5, text: 'r' + b.revision})));
    if (all.length > 0) {
      const b = all[all.length - 1][1];
      this.root.setAttribute('aria-label', `Candlestick chart: ${all.length} bars, the newest ${b.bar_start} opens ${b.open}, high ${b.high}, low ${b.low}, closes ${b.close}`);
      if (!this.fitted) this.chart.timeScale().setVisibleLogicalRange({from: all.length - 120, to: all.length + 3});
      this.fitted = true;
    }
    this.note.textContent = all.length === 0 ? 'no bars' : `${all.length} bars, ${revised.length} revised (marked r)`;
  }
}
