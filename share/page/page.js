/* page - joins the stream of the daemon with the parts of the page. */
'use strict';

const $ = id => document.getElementById(id);
const KINDS = ['tick', 'bar', 'tier1', 'tier2', 'news', 'status'];
const table = new SymbolTable($('table'), pick);
const heat = new HeatMap($('heat'), $('heat-note'), $('heat-cell'), $('version-at'));
const candle = new CandleChart($('chart'), $('chart-note'));
const news = new NewsList($('news-list'), $('news-note'));
const study = new Study(candle, $('study'));
const STUDY_BARS = 400;
let before = null; // the frame that rates are taken against
let picked = null; // {symbol, seq: next sequence of its bars}

async function api(command, query) {
  const answer = await fetch('/api/' + command + (query ? '?' + new URLSearchParams(query) : ''));
  const body = await answer.json();
  if (body.ok === false) throw new Error(body.error);
  return body.result || body;
}

// ---- numbers ----

function short(n) {
  return n >= 1e6 ? (n / 1e6).toFixed(2) + ' M' : n >= 1e4 ? (n / 1e3).toFixed(1) + ' k' : Math.round(n).toLocaleString('en');
}

function micros(us) {
  return us === 0 ? '' : us < 1000 ? us.toFixed(0) + ' µs' : us < 1e6 ? (us / 1000).toFixed(1) + ' ms' : (us / 1e6).toFixed(1) + ' s';
}

function fill(id, rows, none) {
  const body = $(id).tBodies[0];
  if (rows.length === 0 && none) rows = [[none]];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, i) => {
    const row = body.rows[i] || body.insertRow();
    while (row.cells.length > cells.length) row.deleteCell(-1);
    cells.forEach((text, k) => {
      const cell = row.cells[k] || row.insertCell(), t = String(text);
      if (cell.textContent !== t) cell.textContent = t;
      cell.colSpan = none && cells.length === 1 ? 5 : 1;
      cell.className = none && cells.length === 1 ? 'none' : '';
    });
  });
}

function tiles(values) {
  const root = $('tiles');
  for (const [title, text] of values) {
    let tile = root.querySelector(`[data-t="${title}"]`);
    if (!tile) {
      tile = document.createElement('div');
      tile.dataset.t = title;
      tile.append(document.createElement('dt'), document.createElement('dd'));
      tile.firstChild.textContent = title;
      root.append(tile);
    }
    if (tile.lastChild.textContent !== text) tile.lastChild.textContent = text;
  }
}

// ---- a frame ----

function showTop(top) {
  const dt = before ? (top.sampled_ns - before.sampled_ns) / 1e9 : 0;
  if (before && dt < 0.9) return;
  const rate = f => dt > 0 ? (f(top) - f(before)) / dt : 0;
  const drops = Object.values(top.drops).reduce((a, b) => a + b, 0);
  tiles([
    ['ticks a second', short(rate(t => t.published.tick))],
    ['bars a second', short(rate(t => t.published.bar))],
    ['matrices', short(top.published.tier2)],
    ['position', top.position.toLocaleString('en')],
    ['records behind', short(top.dispatch_lag)],
    ['waiting to be stored', short(top.derived_pending)],
    ['dropped or held back', short(drops)],
  ]);
  const stages = {accept_to_publish: 'accepted to published', commit_to_bar: 'committed to bar', matrix: 'matrix'};
  fill('latency', Object.entries(stages).map(([k, title]) => {
    const l = top.latency[k];
    return [title, micros(l.p50_us), micros(l.p99_us), micros(l.max_us)];
  }));
  const busy = name => `${Math.round(100 * rate(t => t.threads[name] || 0))} %`;
  fill('workers', top.workers.map((w, i) => [w.worker, busy(`worker-${i}`), short(rate(t => t.workers[i] ? t.workers[i].ticks : 0)), w.symbols, short(w.ring_items), short(w.outbox_bytes) + ' B']).concat(['tier2', 'store', 'loop'].map(name => [name, busy(name), '', '', '', ''])));
  for (const row of $('workers').tBodies[0].rows) row.cells[1].style.setProperty('--busy', row.cells[1].textContent.replace(' ', ''));
  fill('kinds', KINDS.map(k => [k, short(rate(t => t.published[k])), k in top.lag ? short(top.lag[k]) : '', top.subscribers[k] ?? '']));
  fill('drops', Object.entries(top.drops).filter(([, n]) => n > 0).map(([name, n]) => [name.replace(/_total$/, '').replaceAll('_', ' '), n.toLocaleString('en')]), 'nothing');
  const state = $('state');
  state.textContent = top.state;
  state.className = top.state === 'ready' ? 'ready' : '';
  news.published(top.published.news);
  before = top;
}

function onFrame(e) {
  const frame = JSON.parse(e.data);
  if (frame.top) showTop(frame.top.result);
  if (frame.jobs) takeJobs(frame.jobs);
  table.take(frame.rows, frame.full);
  $('count').textContent = `(${table.order.length}${table.filter ? ' of ' + table.rows.size : ''})`;
  if (frame.full) checkPicked();
  const row = picked && frame.rows.find(r => r[0] === picked.id);
  if (row && row[13] >= picked.seq) followBars();
  if (table.order.length > 0 && picked === null) table.pick(table.order[0]);
}

// ---- the chart ----

// All that is new of a stream: pages of catch-up from @at on, until there is no more or another symbol is picked.
async function follow(at, p, take) {
  for (let more = true; more && p === picked;) {
    const from = at.next ? {pos: at.next[0], skip: at.next[1]} : at.from;
    const page = await api('events', {q: JSON.stringify({kinds: [at.kind], from, symbols: [{kind: at.kind, symbol: p.symbol, ...at.seq}], limit: 2000})});
    if (p !== picked) return;
    take((page.events || []).filter(x => x.timeframe === p.timeframe && x.symbol === p.symbol), page.events || []);
    more = page.status === 'ok' || page.status === 'gone' ? page.done === false : false;
    if (page.next_pos) at.next = [page.next_pos, page.next_skip];
  }
}

let fetching = false, again = false;

// One at a time; who asks meanwhile, perhaps for another symbol, is served behind it.
async function followBars() {
  again = true;
  if (fetching) return;
  fetching = true;
  while (again && picked !== null) {
    const p = picked;
    again = false;
    try {
      await follow(p.bars, p, (events, all) => {
        candle.take(events);
        for (const x of all) p.seq = Math.max(p.seq, x.seq + 1);
      });
      await followStudy(p);
    } catch (error) {
      $('chart-note').textContent = error.message;
    }
  }
  fetching = false;
}

let isKnown = false; // what there is of indicators

// Vectors are long: those of the newest bars are enough to look at.
async function followStudy(p) {
  const newest = [...candle.bars.values()].slice(-STUDY_BARS)[0];
  if (p !== picked || !newest || !$('study-on').checked) return;
  if (!isKnown) {
    study.know((await api('indicators')).indicators);
    isKnown = true;
  }
  p.study = p.study || {kind: 'tier1', from: {time: newest.timestamp_utc}};
  await follow(p.study, p, events => study.take(events));
}

function pick(row) {
  if (!row) return;
  const seq = Math.max(1, row[13] - 4000), timeframe = $('timeframe').value || '1m';
  picked = {id: row[0], symbol: row[1], seq, timeframe, bars: {kind: 'bar', from: 'seq', seq: {from_seq: seq, timeframe}}};
  $('chart-symbol').textContent = $('news-symbol').textContent = row[1];
  showNews();
  candle.clear();
  study.clear();
  followBars();
}

// A daemon that comes back may have another log: other numbers of symbols, and bars from 1 on.
function checkPicked() {
  const row = picked && table.rows.get(picked.id);
  if (!picked || row && row[1] === picked.symbol && row[13] + 1 >= picked.seq) return;
  const same = [...table.rows.values()].find(r => r[1] === picked.symbol);
  picked = null; // and the first, when it is not there any more
  if (same) table.pick(same[0]);
}

function showNews() {
  news.of($('news-one').checked && picked ? picked.symbol : null);
  news.look(api).catch(() => {});
}

// ---- what changes slowly ----

async function showUniverses() {
  const select = $('universe'), {universes} = await api('universes');
  if (select.options.length !== universes.length) {
    select.replaceChildren(...universes.map(u => new Option(`${u.name} ${u.timeframe}`, `${u.name}\n${u.timeframe}`)));
  }
  if (universes.length === 0) $('heat-note').textContent = 'no universe is configured';
  const chosen = select.value, [name, timeframe] = chosen.split('\n'), now = universes.find(u => u.name === name && u.timeframe === timeframe);
  if (now && now.version > 1 && heat.past.length === 0) {
    const stream = {kind: 'tier2', symbol: name, timeframe, from_seq: Math.max(1, now.version - 60)};
    const page = await api('events', {q: JSON.stringify({kinds: ['tier2'], from: 'seq', symbols: [stream], limit: 60})});
    if (select.value !== chosen) return;
    (page.events || []).forEach(m => heat.take(m));
  }
  const held = heat.past[heat.past.length - 1];
  if (now && now.version > 0 && !(held && held.version === now.version)) {
    const matrix = await api('matrix', {name, timeframe});
    if (select.value !== chosen) return;
    heat.take(matrix.matrix && matrix.matrix.matrix ? matrix.matrix : matrix);
  }
}

// What this daemon has not (no vendors: no jobs) is not asked for again and again.
const absent = new Map();

async function maybe(command) {
  if (performance.now() < (absent.get(command) || 0)) return {};
  return api(command).catch(() => {
    absent.set(command, performance.now() + 60000);
    return {};
  });
}

// Ordered by somebody, for a reason: nobody may overlook it.
function showKills({kills = []}) {
  const banner = $('kills'), word = k => k.quarantine ? 'quarantined' : 'killed';
  const lines = kills.map(k => `${k.level}${k.tier ? ' ' + k.tier : ''} ${k.name || ''} is ${word(k)} since ${k.since.slice(0, 19)}Z by ${k.by === 'tickbusd' ? 'a trigger' : 'uid ' + k.by}: ${k.reason}`);
  const text = lines.slice(0, 8).join('\n') + (lines.length > 8 ? `\nand ${lines.length - 8} more` : '');
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = lines.length === 0;
}

// Jobs that fetch have a timeframe and an index, those that compute a flow and options.
function aboutJob(j) {
  const words = j.options ? [j.flow || j.options.set, j.options.timeframe, j.format, j.reason && `(${j.reason})`] : [j.timeframe, j.index];
  return [j.what, ...words].filter(w => w).join(' ');
}

// ---- jobs: the stream says how far those are that run, and when to ask for the list ----

const jobs = {list: [], progress: new Map(), set: null, isAsking: false};

function drawJobs() {
  const rows = jobs.list.map(j => {
    const [total, done, failed, cancelled] = jobs.progress.get(j.id) || [j.symbols, j.symbols - j.remaining - j.failed, j.failed, 0];
    return {...j, total, over: done + failed + cancelled, failed};
  });
  fill('jobs', rows.map(j => [j.id, j.state, `${j.over} of ${j.total}${j.failed ? `, ${j.failed} failed` : ''}`, aboutJob(j)]), 'none');
  rows.forEach((j, i) => $('jobs').tBodies[0].rows[i].cells[2].style.setProperty('--busy', `${Math.round(100 * j.over / (j.total || 1))}%`));
}

// Again, when the set has changed meanwhile; a daemon that does not answer is asked a little later.
async function askJobs() {
  if (jobs.isAsking) return;
  jobs.isAsking = true;
  try {
    for (let set; set !== jobs.set;) {
      set = jobs.set;
      jobs.list = (await api('jobs')).jobs || [];
    }
    drawJobs();
  } catch {
    if (jobs.set !== null) setTimeout(askJobs, 3000); // else there are none: no vendors, no analysis
  } finally {
    jobs.isAsking = false;
  }
}

function takeJobs({set, running}) {
  jobs.progress = new Map(running.map(([id, ...counts]) => [id, counts]));
  if (set === jobs.set) return drawJobs();
  jobs.set = set;
  askJobs();
}

async function showSlow() {
  const [status, sources, gaps, subs, freezes] = await Promise.all(['status', 'sources', 'gaps', 'subscribers', 'freezes'].map(maybe));
  showKills(freezes);
  if (status.version) $('version').textContent = `version ${status.version}, up ${Math.floor(status.uptime_s / 60)} min, ${status.symbols} symbols, epoch ${status.epoch}`;
  const slowest = (subs.subscribers || []).sort((a, b) => b.waiting_bytes - a.waiting_bytes).slice(0, 20);
  const more = subs.is_all === false ? [['this machine has too many connections to list all', '', '']] : [];
  fill('subscribers', slowest.map(s => [s.address, `${s.kind} ${s.format}`, short(s.waiting_bytes) + ' B']).concat(more), 'none');
  fill('sources', (sources.sources || []).map(s => [s.source, s.state || 'seen', s.why || (s.polls !== undefined ? `${s.accepted} articles, asked ${s.polls} times` : s.lag_ms === undefined ? '' : `lag ${s.lag_ms} ms, ${s.open} gaps open`)]), 'none yet');
  fill('gaps', (gaps.gaps || []).slice(0, 50).map(g => [g.symbol, g.source || g.feed || '', g.from || '', g.to || '', g.why ? `${g.state}: ${g.why}` : g.state]), 'none');
}

async function slowly(fn, ms) {
  for (;;) {
    if (!document.hidden) await fn().catch(() => {});
    await new Promise(done => setTimeout(done, ms));
  }
}

// ---- start ----

function listen() {
  const stream = new EventSource('/live');
  stream.onmessage = onFrame;
  stream.onerror = () => {
    $('state').textContent = 'connection lost, trying again';
    $('state').className = 'lost';
    before = null;
    jobs.set = null; // of a daemon that may be another one
    // The browser dials again by itself, but not when it was answered: too many pages, a proxy without its daemon.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000 + 4000 * Math.random());
  };
}

$('filter').addEventListener('input', e => table.setFilter(e.target.value));
$('timeframe').replaceChildren(...['1m', '5m', '15m', '1h', '1d', '1s'].map(t => new Option(t, t)));
$('timeframe').addEventListener('change', () => picked && pick(table.rows.get(picked.id)));
$('bands').addEventListener('change', e => { candle.bands = e.target.checked; candle.redraw(); });
$('study-on').addEventListener('change', e => {
  $('study').disabled = !e.target.checked;
  if (!e.target.checked) study.clear();
  if (picked) picked.study = null;
  followBars();
});
$('news-one').addEventListener('change', showNews);
$('universe').addEventListener('change', () => { heat.reset(); showUniverses(); });
document.addEventListener('visibilitychange', () => table.draw());
addEventListener('resize', () => { heat.draw(); table.draw(); });
candle.bands = true;
drawJobs();
listen();
slowly(showUniverses, 1000);
slowly(() => news.look(api), 1000);
slowly(showSlow, 3000);
