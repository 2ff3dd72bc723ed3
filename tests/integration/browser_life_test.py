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


if __name__ == "__main__":
    if webdriver.absent():
        print(f"1..1\n# {webdriver.absent()} is absent: the page is not looked at\nok 1 - no_browser")
        sys.exit(0)
    sys.exit(tb.tap(TESTS, browser_test.make))
