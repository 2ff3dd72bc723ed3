#!/usr/bin/env python3
"""The page over hours, and over daemons that come and go: browser_life_test.py TICKBUSD TICKBUSCTL

In a real browser, as browser_test.py.  Prints TAP.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser_test  # noqa: E402
import tickbusd as tb  # noqa: E402
import webdriver  # noqa: E402
from browser_test import Page, feed  # noqa: E402

TESTS = []


def test(f):
    TESTS.append(f)
    return f


# Instead of the daemon's: what /api/jobs answers, and how often it was asked.
JOBS = """window.asked = 0; window.listed = [{id: 7, state: 'running', symbols: 10, remaining: 10, failed: 0, what: 'bars', timeframe: '1d'}];
    const real = window.fetch; window.fetch = (url, ...more) => !String(url).startsWith('/api/jobs') ? real(url, ...more) :
        (window.asked++, Promise.resolve({json: () => Promise.resolve({ok: true, result: {jobs: window.listed}})}));
    window.job = () => [...document.querySelectorAll('#jobs tbody tr')].map(r => [...r.cells].slice(0, 3).map(c => c.textContent).concat(
        r.cells[2] ? r.cells[2].style.getPropertyValue('--busy') : ''))"""


@test
def jobs_are_drawn_from_the_stream_and_listed_when_one_began_or_ended(d):
    feed(d, 1, 40)
    with Page(d) as p:
        p.until("return document.getElementById('state').textContent === 'ready'", "ready")
        assert p.run("return document.querySelector('#jobs tbody').textContent") == "none"
        p.run(JOBS)
        tell = lambda **jobs: p.run("onFrame({data: JSON.stringify({now_ms: 0, full: false, rows: [], jobs: arguments[0]})})", jobs)  # noqa: E731
        tell(set=1, running=[[7, 10, 2, 0, 0]])
        p.until("return JSON.stringify(job()) === '[[\"7\",\"running\",\"2 of 10\",\"20%\"]]'", "the job")
        for done, text, width in ((3, "4 of 10, 1 failed", "40%"), (8, "9 of 10, 1 failed", "90%")):
            tell(set=1, running=[[7, 10, done, 1, 0]])
            assert p.run("return job()") == [["7", "running", text, width]], p.run("return job()")
        assert p.run("return asked") == 1
        p.run("listed[0] = {...listed[0], state: 'done', remaining: 0, failed: 1}")
        tell(set=2, running=[])
        p.until("return JSON.stringify(job()) === '[[\"7\",\"done\",\"10 of 10, 1 failed\",\"100%\"]]'", "that it has ended")
        time.sleep(4)  # it used to be asked for every three seconds
        assert p.run("return asked") == 2


@test
def a_page_that_finds_no_place_dials_again(d):
    """An EventSource that is answered 503 is closed for good: it has to be made anew."""
    import urllib.request
    feed(d, 1, 40)
    readers = [urllib.request.urlopen(f"http://127.0.0.1:{d.port['http']}/live", timeout=60) for _ in range(16)]
    with Page(d) as p:
        p.until("return document.getElementById('state').textContent.startsWith('connection lost')", "no place")
        for one in readers:
            one.close()
        p.until("return document.getElementById('state').textContent === 'ready'", "a place")
        p.console()  # of the 503


@test
def what_the_page_holds_does_not_grow(d):
    """Days of bars, vectors, matrices and frames, as fast as they go in."""
    feed(d, 1, 400)
    with Page(d) as p:
        p.until("return document.getElementById('count').textContent === '(40)'", "all symbols")
        if p.run("return Boolean(window.LightweightCharts)"):
            assert p.run("""const at = i => new Date(1.7e12 + i * 1000).toISOString();
                for (let i = 0; i < 20000; i += 500) {
                  const all = [...Array(500).keys()].map(k => i + k);
                  candle.take(all.map(k => ({bar_start: at(k), timestamp_utc: at(k + 1), open: 1, high: 1, low: 1, close: 1, volume: 1, revision: 0, cause: 'first'})));
                  study.take(all.map(k => ({time: at(k + 1), values: {a: k, b: k}})));
                }
                return candle.bars.size <= 3000 && [...study.values.values()].every(m => m.size <= 3000)""")
            assert p.run("return candle.bars.has(1.7e9 + 19999) && study.values.get('a').get(1.7e9 + 20000) === 19999"), "the newest are there"
        # Of matrices so many that they are a few megabytes; the newest always, however large.
        assert p.run("""const matrix = (version, n) => ({version, as_of: '2026-01-05T14:30:00Z', status: 'final',
              members: [...Array(n).keys()].map(i => ({symbol: 'M' + i, reason: 'included'})), matrix: [...Array(n).keys()].map(i => Array(i + 1).fill(0.5))});
            heat.reset();
            const sizes = [];
            for (const [first, last, n] of [[1, 300, 20], [301, 330, 500], [331, 332, 2100]]) {
              for (let v = first; v <= last; v++) heat.take(matrix(v, n));
              sizes.push([heat.past.length, heat.past[heat.past.length - 1].version, +heat.slider.value]);
            }
            heat.take(matrix(3, 20)); // another log's
            return [...sizes, [heat.past.length, heat.shown().version, +heat.slider.value]]""") == [
                [200, 300, 199], [16, 330, 15], [1, 332, 0], [1, 3, 0]]
        # Two thousand symbols, of which some come and all move: the rows in sight are all there are.
        count = "return document.querySelectorAll('*').length"
        frames = """const rows = n => [...Array(n).keys()].map(i => [i, 'T' + String(i).padStart(4, '0'), 100 + Math.random(), [null, -1, 0, 1][i % 4], 99, 101, 'traded', 0, 0, 0, 0, 1, i, 1, 'x']);
            for (let i = 0; i < arguments[0]; i++) onFrame({data: JSON.stringify({now_ms: 0, full: i % 10 === 0, rows: rows(1900 + i % 100)})})"""
        p.run("table.sortBy(1)")
        p.run(frames, 10)
        before = p.run(count)
        p.run(frames, 150)
        assert p.run(count) == before, "nodes are left behind"
        assert p.run("return table.rows.size < 2000 && table.pool.length < 60")


@test
def nobody_looks_and_nothing_is_drawn(d):
    feed(d, 1, 400)
    with Page(d) as p:
        p.until("return document.getElementById('count').textContent === '(40)'", "all symbols")
        p.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true}); table.space.querySelector('.row').children[9].textContent = 'old'")
        feed(d, 401, 440)
        p.until("return table.rows.get(table.order[0])[12] === 11", "the row has come")
        assert p.run("return table.space.querySelector('.row').children[9].textContent") == "old"
        p.run("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
        assert p.run("return table.space.querySelector('.row').children[9].textContent") == "11"


@test
def another_log_is_another_world(d):
    """The daemon comes back on an empty directory: other numbers of symbols, bars and matrices from 1 on."""
    feed(d, 1, 4000)
    with Page(d) as p:
        p.run("const s = document.getElementById('timeframe'); s.value = '1s'; s.dispatchEvent(new Event('change'))")
        note = "return /^\\d+ bars/.test(document.getElementById('chart-note').textContent)"
        p.until(note, "bars")
        p.until("return heat.past.length > 0 && heat.past[heat.past.length - 1].version > 20", "matrices")
        p.type("#filter", "s03")
        p.type("#table", webdriver.KEYS["down"] + webdriver.KEYS["enter"])
        p.until("return document.getElementById('chart-symbol').textContent === 'S03'", "S03 is chosen")
        p.until(note, "its bars")
        assert d.stop() == 0
        for name in os.listdir(d.dir):
            if name not in ("tickbusd.yaml", "log"):
                os.remove(os.path.join(d.dir, name))
        d.start()
        tb.feed(d, [tb.trade("OTHER", i, 50 + i, i + 1) for i in range(5)], "q")
        feed(d, 1, 600)
        p.until("return document.getElementById('state').textContent === 'ready'", "ready again")
        p.until("return picked && picked.symbol === 'S03' && table.rows.get(picked.id)[1] === 'S03' && picked.id === 3", "S03 by its new number")
        p.until("const n = parseInt(document.getElementById('chart-note').textContent); return n > 5 && n < 30", "the bars of the new log")
        p.until("return heat.past.length > 0 && heat.past.every(m => m.version < 20)", "the matrices of the new log")
        p.console()  # of the connection that was lost


if __name__ == "__main__":
    if webdriver.absent():
        print(f"1..1\n# {webdriver.absent()} is absent: the page is not looked at\nok 1 - no_browser")
        sys.exit(0)
    sys.exit(tb.tap(TESTS, browser_test.make))
