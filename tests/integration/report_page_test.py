#!/usr/bin/env python3
"""The page of a report in a real browser: report_page_test.py TICKBUSD TICKBUSCTL [AXE]

It shows what the JSON has, fetches nothing, runs nothing, whatever a headline says; it is
readable by everybody, in the dark and on paper.  AXE is axe.min.js.  In Chromium, or with TICKBUS_BROWSER=firefox in Firefox.
"""
import base64
import html
import html.parser
import os
import re
import sys

import firefox
import reportparts as rp
import tickbusd as tb
import webdriver

BINARY, CTL = sys.argv[1], sys.argv[2]
AXE = sys.argv[3] if len(sys.argv) > 3 else ""
BROWSER = firefox if os.environ.get("TICKBUS_BROWSER") == "firefox" else webdriver
SYMBOLS = [f"S{i:02}" for i in range(6)]
HOSTILE = ["<script>document.title='owned'</script>", "\"><img src=https://evil.example/x onerror=alert(1)>", "'); alert(1); ('",
           "</title></style></svg><svg onload=alert(1)>", "{{7*7}} ${7*7} <!-- &lt;b&gt; & &amp;", "\u202egnp.exe", "\u0007bell",
           "<a href=javascript:alert(1)>click</a>", "]]><![CDATA[", "x" * 500]
LINKS = ["javascript:alert(1)", "https://news.example/\"onclick=alert(1)", "data:text/html,<script>1</script>", "//evil.example/",
         "https://news.example/a?b=1&c='2'"]


class World(rp.World):
    def __init__(self):
        super().__init__(BINARY, CTL)

    def start(self, *args, **more):
        super().start(*args, **more)
        self.first.news = lambda s: rp.news_of(s) if s != "S00" else [
            rp.article(s, i, f"2025-01-{i + 10}T12:00:00Z", html.escape(text), LINKS[i % len(LINKS)]) for i, text in enumerate(HOSTILE)]
        self.fetch(SYMBOLS)
        self.fetch_news(SYMBOLS)

    def page(self, flow="combined", *more, code=1, symbols=tuple(SYMBOLS) + ("NOPE",)):
        self.path = os.path.join(self.dir, "report.html")
        self.ctl("report", flow, "--symbols", ",".join(symbols), "--html", self.path, "--vader", os.devnull, "--articles", "20", *more, code=code)
        with open(self.path, encoding="utf-8") as f:
            return f.read()


class Tags(html.parser.HTMLParser):
    """The elements of a page, read by somebody else than a browser."""

    def __init__(self, text):
        super().__init__()
        self.seen = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def it_needs_nothing_and_runs_nothing(d):
    text = d.page()
    seen = Tags(text).seen
    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & {t for t, _ in seen}
    for tag, attrs in seen:
        assert not any(k.startswith("on") for k in attrs), (tag, attrs)
        for key in ("src", "href", "xlink:href", "action", "data", "style"):
            value = attrs.get(key)
            assert value is None or (tag == "a" and re.match("#c\\d+$|https://news\\.example/", value)), (tag, key, value)
    css = text[text.index("<style>"):text.index("</style>")]
    assert "url(" not in css and "@import" not in css
    assert "default-src 'none'" in text
    assert text == d.page(), "the same report has the same bytes"


def the_browser_sees_no_script_and_no_request(d):
    d.page()
    b = BROWSER.Browser()
    try:
        b.go("file://" + d.path)
        assert b.run("return document.title").startswith("Market report, combined"), b.run("return document.title")
        assert b.run("return performance.getEntriesByType('resource').length") == 0
        assert b.run("return document.querySelectorAll('script, img, iframe').length") == 0
        shown = b.run("return [...document.querySelectorAll('#c1 .news bdi:first-of-type')].map(e => e.textContent)")
        want = [h.replace("\u0007", "") for h in reversed(HOSTILE)]  # the vendor's adapter takes controls out
        assert [s for s in shown if s in want] == want, (shown, want)
        links = b.run("return [...document.querySelectorAll('#c1 .news a')].map(e => e.getAttribute('href'))")
        assert set(links) == {LINKS[1], LINKS[4]}, links
        complaints = b.console()
        assert complaints == [], complaints
    finally:
        b.close()


def it_shows_what_the_json_has(d):
    d.page()
    answer = d.report("combined", SYMBOLS + ["NOPE"], code=1)
    b = BROWSER.Browser()
    try:
        b.go("file://" + d.path)
        table = b.run("return [...document.querySelectorAll('[aria-label=Symbols] tbody tr')].map(r => [...r.children].map(c => c.textContent.trim()))")
        assert [r[0] for r in table] == SYMBOLS
        for row, want in zip(table, answer["combined_analysis"]):
            assert row[1] == f"{want['close']:.2f}" and row[4] == f"{want['sma_20']:.2f}", (row, want)
            assert row[7] == f"{want['rsi_14']:.1f}" and row[8] == str(want["article_count"]), (row, want)
            assert row[9] == re.sub(r"^[+-](0\.00)$", r"\1", f"{want['avg_sentiment']:+.2f}") and row[10] == want["source"], (row, want)
        cells = b.run("return [...document.querySelectorAll('svg.heat rect + text')].map(t => t.textContent)")
        matrix = [v for line in answer["correlation"]["matrix"] for v in line]
        assert cells == [re.sub(r"^-(0\.00)$", r"\1", f"{v:.2f}") for v in matrix], (cells, matrix)
        assert b.run("return document.querySelector('[aria-label=\"What is not there\"]').textContent").count("NOPE") == 1
        # The line of the close has a point for each bar, where the bar is.
        close = b.run("return document.querySelector('#c2 path.close').getAttribute('d')")
        points = [tuple(map(float, p.split())) for p in re.split("[ML]", close)[1:]]
        prices = list(d.frame("S01").tail(252)["close"])
        assert len(points) == 252 and all(x < y for (x, _), (y, _) in zip(points, points[1:]))
        high, low = prices.index(max(prices)), prices.index(min(prices))
        scale = (points[low][1] - points[high][1]) / (prices[high] - prices[low])
        assert all(abs(y - (points[high][1] + scale * (prices[high] - p))) < 0.11 for (_, y), p in zip(points, prices))
    finally:
        b.close()


def everybody_can_read_it(d):
    holdings = d.file("holdings.csv", "symbol,quantity,cost_basis\nS00,3,100\nS01,-2,\nS02,x,\n")
    if not AXE:
        print("# axe-core is absent (tools/setup-page fetches it): accessibility is not judged", flush=True)
    for flow in ("combined", "news", "pricing"):
        d.page(flow, "--portfolio", holdings)
        for shape in ({"width": 500, "height": 900}, {"dark": True}, {}):
            b = BROWSER.Browser(**shape)
            try:
                b.go("file://" + d.path)
                assert b.run("return document.scrollingElement.scrollWidth <= innerWidth"), f"{flow} is wider than the window: {shape}"
                dark = b.run("return getComputedStyle(document.body).backgroundColor === 'rgb(16, 20, 27)'")
                assert dark == ("dark" in shape), shape
                if AXE:
                    with open(AXE, encoding="utf-8") as f:
                        b.run(f.read())
                    found = b.run("return axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | ')))")
                    assert found == [], (flow, shape, found)
            finally:
                b.close()


def luminance(c):
    parts = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in (v / 255 for v in c)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def the_heat_map_is_read_without_colours(d):
    """Numbers stand out on every cell; the scale differs in lightness as seen by who sees no red or no green."""
    text = d.page()
    heat = text[text.index('class="heat"'):]
    cells = re.findall(r'fill="#(..)(..)(..)"/><text[^>]*fill="#(000|fff)">([-0-9.]+)<', heat)
    assert len(cells) == 36, len(cells)
    for *rgb, ink, value in cells:
        light = luminance([int(x, 16) for x in rgb])
        paper, pen = (light, 0) if ink == "000" else (1, light)
        assert (paper + 0.05) / (pen + 0.05) >= 4.5, (rgb, ink, value)
    scale = {float(v): [int(x, 16) for x in (r, g, b)] for r, g, b, _, v in cells}
    # Vienot, Brettel and Mollon 1999 reduce protanopia and deuteranopia to two axes, yellow to blue; there
    # the sides of the scale must lie on opposite sides of its middle.
    for v, (r, g, b) in scale.items():
        yellow = b - (r + g) / 2
        assert yellow > 0 if v > 0.05 else yellow < 0 if v < -0.05 else True, (v, r, g, b)


def on_paper_it_is_white_and_no_chart_is_cut(d):
    d.page()
    if BROWSER is not webdriver:
        print("# paper is looked at in Chromium, which can be told that it prints", flush=True)
        return
    b = BROWSER.Browser(dark=True)
    try:
        b.go("file://" + d.path)
        b.ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"media": "print"}})
        assert b.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert b.run("return [...document.querySelectorAll('article')].every(a => getComputedStyle(a).breakInside === 'avoid')")
        pdf = base64.b64decode(b.ask("POST", "/print", {"page": {"width": 21.0, "height": 29.7}}))
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert pdf.startswith(b"%PDF") and 2 <= pages <= 8, pages
    finally:
        b.close()


TESTS = [it_needs_nothing_and_runs_nothing, the_browser_sees_no_script_and_no_request, it_shows_what_the_json_has,
         the_heat_map_is_read_without_colours, everybody_can_read_it, on_paper_it_is_white_and_no_chart_is_cut]

if __name__ == "__main__":
    if BROWSER.absent():
        print(f"1..1\n# {BROWSER.absent()} is absent: the page is not looked at\nok 1 - no_browser")
        sys.exit(0)
    sys.exit(tb.tap([t for t in TESTS if t.__name__ in sys.argv[4:] or not sys.argv[4:]], World))
