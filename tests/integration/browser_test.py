#!/usr/bin/env python3
"""The page in a real browser: browser_test.py TICKBUSD TICKBUSCTL [AXE]

In Chromium, or with TICKBUS_BROWSER=firefox in Firefox.

What it shows is what the daemon has; keyboard, filter, chart, heat map; widths and
colours; a daemon that dies and comes back.  AXE is axe.min.js, which judges accessibility.
"""
import json
import os
import re
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import firefox  # noqa: E402
import tickbusd as tb  # noqa: E402
import webdriver  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
AXE = sys.argv[3] if len(sys.argv) > 3 else ""
BROWSER = firefox if os.environ.get("TICKBUS_BROWSER") == "firefox" else webdriver
TESTS = []
SYMBOLS = [f"S{i:02}" for i in range(40)]
MORE = ("defaults: {timeframes: [1s], price_types: [last], indicators: [\"bbands(20,2)\", rsi(14)]}\n"
        "universes: {k: {symbols: [S00, S01, S02, S03], timeframe: 1s, window: 30, min_obs: 5}}\n")


def test(f):
    TESTS.append(f)
    return f


def make():
    return tb.Tickbusd(BINARY, more=MORE)


def feed(d, first, last):
    """Every symbol trades in every second; prices go their own ways."""
    s = d.ingest()
    for at in range(first, last + 1, 500):
        qs = range(at, min(at + 500, last + 1))
        ticks = [(SYMBOLS[q % 40], tb.START + q * 25_000_000, 10 ** 11 + (q * 7919 % (1009 + q % 40)) * 10 ** 7, 10 ** 8, q)
                 for q in qs]
        assert tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", at, ticks)))["accepted"] == len(qs)
    s.close()


def price(q):
    return 100 + (q * 7919 % (1009 + q % 40)) / 100


class Page(BROWSER.Browser):
    def __init__(self, d, **more):
        super().__init__(**more)
        self.go(f"http://127.0.0.1:{d.port['http']}/")

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        complaints = self.console() if kind is None else []
        self.close()
        assert not complaints, complaints

    def row(self, symbol):
        """The cells of a symbol in sight."""
        return self.run("""const r = [...document.querySelectorAll('#table .row')].find(
            r => r.style.display !== 'none' && r.firstChild.textContent === arguments[0]);
            return r ? [...r.children].map(c => c.textContent) : null""", symbol)


@test
def the_page_shows_what_the_daemon_has(d):
    feed(d, 1, 4000)
    with Page(d) as p:
        p.until("return document.getElementById('state').textContent === 'ready'", "ready")
        p.until("return document.getElementById('count').textContent === '(40)'", "all symbols")
        p.until("return [...document.querySelectorAll('#tiles div')].some(t => t.textContent === 'position' + arguments[0])",
                "the log's position", f"{d.admin('status')['result']['position']:,}")
        for symbol, q in (("S00", 4000), ("S01", 3961), ("S12", 3972)):
            cells = p.row(symbol)
            assert float(cells[1]) == round(price(q), 6) and cells[9] == "100" and cells[10] == "test", (cells, price(q))
        # A tick that comes now is on the page soon after.
        feed(d, 4001, 4001)
        p.until("return [...document.querySelectorAll('#table .row')].some(r => r.children[9].textContent === '101')", "the new tick")
        assert float(p.row("S01")[1]) == round(price(4001), 6), p.row("S01")
        # A row a worker and the three threads that everything goes through, with what each had of a processor.
        names = [str(w["worker"]) for w in d.admin("top")["result"]["workers"]] + ["tier2", "store", "loop"]
        for first in range(4002, 4002 + 200 * 2000, 2000):
            if p.run("return [...document.querySelectorAll('#workers tbody tr')].some(r => parseInt(r.cells[1].textContent) > 0)"):
                break
            feed(d, first, first + 1999)
        rows = p.run("return [...document.querySelectorAll('#workers tbody tr')].map(r => [...r.cells].map(c => c.textContent))")
        assert [r[0] for r in rows] == names and all(re.fullmatch(r"\d+ %", r[1]) for r in rows), rows
        assert 0 < max(int(r[1].split()[0]) for r in rows) <= 110, rows
        def has_all_matrices():
            n = d.admin("status")["result"]["published"]["tier2"]
            text = f"{n:,}" if n < 10000 else f"{n / 1000:.1f} k"
            return p.run("return [...document.querySelectorAll('#tiles div')].some(t => t.textContent === 'matrices' + arguments[0])", text)
        tb.until(has_all_matrices, "as many matrices as the daemon published", 60)


@test
def filter_keyboard_and_sorting_find_a_symbol_and_its_bars(d):
    feed(d, 1, 4000)
    with Page(d) as p:
        p.until("return document.getElementById('count').textContent === '(40)'", "all symbols")
        p.run("const s = document.getElementById('timeframe'); s.value = '1s'; s.dispatchEvent(new Event('change'))")
        p.type("#filter", "s3")
        p.until("return document.getElementById('count').textContent === '(10 of 40)'", "the filter")
        p.type("#table", webdriver.KEYS["down"] * 2 + webdriver.KEYS["enter"])
        p.until("return document.getElementById('chart-symbol').textContent === 'S31'", "the second of them")
        note = p.until("const t = document.getElementById('chart-note').textContent; return /^\\d+ bars/.test(t) && t", "its bars")
        held = {bar[32:40] for bar in d.events("bar") if b"S31\0" in bar}
        assert abs(int(note.split()[0]) - len(held)) <= 1, (note, len(held))
        # By the last price, greatest first: the order that the daemon's own numbers have.
        p.run("document.getElementById('filter').value = ''; document.getElementById('filter').dispatchEvent(new Event('input'))")
        p.run("document.querySelectorAll('#table .head button')[1].click()")
        best = max(range(3961, 4001), key=price)
        p.until("""const r = [...document.querySelectorAll('#table .row')].find(r => r.getAttribute('aria-rowindex') === '2');
                return r.firstChild.textContent === arguments[0]""", "sorted by price", SYMBOLS[best % 40])
        assert p.run("return document.querySelectorAll('#table .row').length") < 40, "rows out of sight are in the page"


@test
def features_and_indicators_of_the_daemon_stand_in_the_chart(d):
    feed(d, 1, 4000)
    with Page(d) as p:
        if p.run("return !window.LightweightCharts"):
            print("# the chart library is absent (tools/setup-page fetches it): no study is drawn", flush=True)
            return
        p.until("return document.getElementById('count').textContent === '(40)'", "all symbols")
        p.run("const s = document.getElementById('timeframe'); s.value = '1s'; s.dispatchEvent(new Event('change'))")
        p.run("document.getElementById('study-on').click()")
        p.until("return document.getElementById('study').options.length > 18", "what the daemon has of the symbol")
        names = p.run("return [...document.getElementById('study').options].map(o => o.value)")
        assert sorted(names[1:3]) == ["bbands(20,2)", "rsi(14)"] and "ema_12" in names, names
        for name, lines, pane in (("bbands(20,2)", 3, 1), ("rsi(14)", 1, 2)):
            p.run("const s = document.getElementById('study'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))", name)
            shown = p.until("const t = document.getElementById('chart').dataset.study; return t && t.startsWith(arguments[0]) && t", "the study", name)
            assert int(shown.split()[-1]) == lines and int(shown.split()[-2]) > 80, shown
            assert p.run("return candle.chart.panes().length") == pane, name
        # What is drawn is what the daemon published.
        time_s, value = p.run("return [...study.values.get('rsi(14)')].pop()")
        # The judge reads the binary events: the block's doubles, after the names of the vector's.
        blocks = [b for b in d.events("tier1") if b"S00\0" in b and b"rsi(14)" in b
                  and int.from_bytes(b[16:24], "little") == time_s * 10 ** 9]
        assert struct.unpack_from("<24d", blocks[-1], 64)[3] == value, (time_s, value)


@test
def another_symbol_while_bars_are_on_their_way_gets_its_own(d):
    """Nothing comes after it: nobody reminds the page."""
    feed(d, 1, 4000)
    with Page(d) as p:
        p.until("return document.getElementById('count').textContent === '(40)'", "all symbols")
        p.run("""const f = window.fetch;
            window.fetch = (...a) => new Promise(r => setTimeout(r, String(a[0]).includes('/api/events') ? 500 : 0)).then(() => f(...a))""")
        p.run("for (const i of [3, 5, 7]) table.pick(table.order[i]); const s = document.getElementById('timeframe'); s.value = '1s'; s.dispatchEvent(new Event('change'))")
        p.until("return document.getElementById('chart-symbol').textContent === 'S07' && candle.bars.size > 80", "the bars of the last")
        p.run("document.getElementById('study-on').click()")
        p.until("return document.getElementById('study').options.length > 18", "and its indicators")


@test
def the_heat_map_has_the_matrix(d):
    feed(d, 1, 4000)
    with Page(d) as p:
        m = d.admin("matrix", name="k")["result"]["matrix"]
        out = [f"{x['symbol']} ({x['reason']})" for x in m["members"] if x["reason"] != "included"]
        p.until("return document.getElementById('heat-note').textContent === arguments[0]", "the newest version",
                f"version {m['version']}, as of {m['as_of'][:19]}Z, {m['status']}, {4 - len(out)} symbols" +
                (f"; excluded: {', '.join(out)}" if out else ""))
        p.type("#heat", webdriver.KEYS["down"] * 2)
        p.until("return document.getElementById('heat-cell').textContent === arguments[0]", "the cell below",
                f"S02 and S00: {m['matrix'][2][0]:.3f}")
        # Older versions are behind the slider.
        p.run("const s = document.getElementById('version-at'); s.value = 0; s.dispatchEvent(new Event('input'))")
        assert not p.text("#heat-note").startswith(f"version {m['version']},"), p.text("#heat-note")
        painted = p.run("""const c = document.getElementById('heat'), g = c.getContext('2d');
            const d = g.getImageData(0, 0, c.width, c.height).data, seen = new Set();
            for (let i = 0; i < d.length; i += 404) seen.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]); return seen.size""")
        assert painted > 3, painted


@test
def it_is_readable_on_a_phone_and_in_the_dark_and_by_everybody(d):
    feed(d, 1, 4000)
    send_news(d, [news(i, 60 * i, text, "S00", "S01") for i, text in enumerate(EVIL + ["Apple beats, shares surge", "Apple plunges"])])
    if not AXE:
        print("# axe-core is absent (tools/setup-page fetches it): accessibility is not judged", flush=True)
    for shape in ({"width": 390, "height": 800}, {"dark": True}, {}):
        with Page(d, **shape) as p:
            p.until("return document.getElementById('count').textContent === '(40)'", "all symbols")
            p.until("return document.getElementById('heat-note').textContent.startsWith('version')", "a matrix")
            p.until("return document.querySelectorAll('#news-list li').length === arguments[0]", "the news", 2 * len(EVIL) + 4)
            assert p.run("return document.scrollingElement.scrollWidth <= innerWidth"), f"wider than the window: {shape}"
            dark = p.run("return getComputedStyle(document.body).backgroundColor === 'rgb(16, 20, 27)'")
            assert dark == ("dark" in shape), shape
            if AXE:
                with open(AXE, encoding="utf-8") as f:
                    p.run(f.read())
                found = p.run("return axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | ')))")
                assert found == [], found


EVIL = ["&lt;img src=x onerror=document.title=1&gt; falls", "shares < <svg onload=document.title=2 ", "x</li></ol><script>document.title='evil'</script>", "\u202e desrever \u2066 and &amp; &lt;b&gt;",
        "javascript:alert(1) plunges", "🚀" * 60, "w" * 250]


def news(number, second, headline, *symbols, **more):
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(tb.START // tb.SECOND + second))
    return {"id": str(number), "time": when, "headline": headline, "symbols": list(symbols), **more}


def send_news(d, articles):
    reply = tb.feed_json(d, json.dumps({"producer": "desk", "source": "wire", "news": articles}))
    assert reply["accepted"] == len(articles), reply


def all_news(d, n):
    """What `tickbusctl sub news` prints, oldest first."""
    out = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "--port", str(d.port["ingest"]), "sub", "news", "--from", "oldest",
                          "--format", "json", "--count", str(n)], capture_output=True, text=True, timeout=240, check=True)
    return [json.loads(line) for line in out.stdout.splitlines()]


LINES = """return [...document.querySelectorAll('#news-list li')].map(li => ({
    time: li.querySelector('time').dateTime, symbol: li.querySelector('.symbol').textContent, headline: li.querySelector('.headline').textContent,
    href: li.querySelector('.headline').getAttribute('href'), mood: li.querySelector('.mood').textContent, from: li.querySelector('.from').textContent,
    window: li.querySelector('.window').textContent, look: li.querySelector('.mood').className}))"""


def shown_as(e):
    """An event as the page has to show it."""
    sign = "−" if e["compound"] < 0 else "+"
    word, look = (("▲ positive", "good") if e["compound"] >= 0.05 else ("▼ negative", "bad") if e["compound"] <= -0.05 else ("■ neutral", "even"))
    return {"time": e["time"][:23] + "Z", "symbol": e["symbol"], "headline": e["headline"], "href": e["url"] or None,
            "mood": f"{word} {sign}{abs(e['compound']):.2f}", "look": f"mood {look}"}


@test
def news_are_those_of_the_daemon_whatever_they_say(d):
    feed(d, 1, 400)
    made = [news(1, 0, "Apple beats estimates, shares surge", "S00", url="https://example.com/1?a=b&c=d", publisher="Wire"),
            news(2, 60, "Apple plunges after profit warning", "S00", "S01"), news(3, 120, "Annual meeting on Tuesday", "S01")]
    made += [news(10 + i, 180 + 60 * i, text, "S02") for i, text in enumerate(EVIL)]
    send_news(d, made)
    with Page(d) as p:
        have = p.until(f"const all = (() => {{ {LINES} }})(); return all.length === arguments[0] && all", "all news", len(made) + 1)
        want = all_news(d, len(made) + 1)[::-1]
        # The same texts to the last character, none of them markup.
        for line, e in zip(have, want):
            assert {k: line[k] for k in shown_as(e)} == shown_as(e), (line, e)
        assert p.run("return document.title") == "tickbus" and p.run("return document.querySelectorAll('#news img, #news script').length") == 0
        plunges = next(line for line in have if line["symbol"] == "S00" and "plunges" in line["headline"])
        assert plunges["window"].startswith("2 articles, mean ") and "50 % good, 50 % bad" in plunges["window"], plunges
        assert "(Wire, wire)" in next(line for line in have if line["href"])["from"]
        # The chosen symbol's alone; S00 is chosen when the page begins.
        p.run("document.getElementById('news-one').click()")
        ours = p.until(f"const all = (() => {{ {LINES} }})(); return all.length === 2 && all", "the news of S00")
        assert [line["headline"] for line in ours] == [e["headline"] for e in want if e["symbol"] == "S00"], ours
        p.type("#filter", "s01")
        p.type("#table", webdriver.KEYS["down"] + webdriver.KEYS["enter"])
        p.until("return document.getElementById('news-symbol').textContent === 'S01' && [...document.querySelectorAll('#news-list .symbol')].every(x => x.textContent === 'S01')", "those of S01")
        # What comes now is there soon, and the list is bounded.
        send_news(d, [news(100 + i, 1000 + i, f"Outlook {i} raised", "S01") for i in range(80)])
        p.until("return document.querySelector('#news-list .headline').textContent === 'Outlook 79 raised'", "the newest")
        assert p.run("return document.querySelectorAll('#news-list li').length") == 60
        p.until("return [...document.querySelectorAll('#kinds tbody tr')].some(r => r.cells[0].textContent === 'news')", "news among the kinds")
        p.run("document.getElementById('news').focus()")
        assert p.run("return document.activeElement.id") == "news", "the list cannot be scrolled by keys"
    # A daemon that comes back has them still.
    assert d.stop() == 0
    d.start()
    assert [h["headline"] for h in d.admin("headlines", n="3")["result"]["headlines"]] == [f"Outlook {i} raised" for i in (79, 78, 77)]
    one = d.admin("headlines", n="1", symbol="S00")["result"]
    assert one["headlines"][0]["headline"].startswith("Apple plunges") and not one["is_all"], one
    assert d.admin("headlines", symbol="S00")["result"]["is_all"] and not d.admin("headlines", symbol="NOBODY")["ok"]


@test
def a_kill_is_red_until_it_is_over(d):
    feed(d, 1, 400)
    with Page(d) as p:
        p.until("return document.getElementById('state').textContent === 'ready'", "ready")
        assert p.run("return document.getElementById('kills').hidden")
        assert d.admin("freeze", level="symbol", name="S03", reason="odd <b>prices</b>")["ok"]
        text = p.until("const k = document.getElementById('kills'); return !k.hidden && k.textContent", "the kill")
        assert "symbol S03 is killed" in text and "odd <b>prices</b>" in text and f"uid {os.getuid()}" in text, text
        assert p.run("return getComputedStyle(document.getElementById('kills')).backgroundColor") == "rgb(179, 38, 30)"
        if AXE:
            with open(AXE, encoding="utf-8") as f:
                p.run(f.read())
            assert p.run("return axe.run().then(r => r.violations.map(v => v.id))") == []
        assert d.admin("release", level="symbol", name="S03")["ok"]
        p.until("return document.getElementById('kills').hidden", "that it is over")


@test
def a_daemon_that_died_and_came_back_is_seen(d):
    feed(d, 1, 400)
    p = Page(d)
    try:
        p.until("return document.getElementById('state').textContent === 'ready'", "ready")
        d.kill()
        p.until("return document.getElementById('state').textContent.startsWith('connection lost')", "lost", seconds=20)
        d.start()
        feed(d, 401, 440)
        p.until("return document.getElementById('state').textContent === 'ready'", "ready again", seconds=30)
        p.until("return [...document.querySelectorAll('#table .row')].some(r => r.children[9].textContent === '11')", "what came since")
    finally:
        p.close()


if __name__ == "__main__":
    if BROWSER.absent():
        print(f"1..1\n# {BROWSER.absent()} is absent: the page is not looked at\nok 1 - no_browser")
        sys.exit(0)
    sys.exit(tb.tap(TESTS, make))
