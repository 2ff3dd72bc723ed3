"""A browser for tests: Debian's Chromium, steered over WebDriver (W3C).  Standard library only."""
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

KEYS = {"down": "\ue015", "enter": "\ue007", "tab": "\ue004", "end": "\ue010"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def absent():
    """What is missing for a browser; empty: nothing."""
    return " and ".join(p for p in ("chromium", "chromedriver") if shutil.which(p) is None)


class Browser:
    def __init__(self, width=1300, height=1500, dark=False):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.profile = tempfile.mkdtemp(prefix="tickbus-browser-")
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.session = ""
        args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                f"--window-size={width},{height}", f"--user-data-dir={self.profile}"]
        if dark:
            args.append("--blink-settings=preferredColorScheme=0")
        options = {"goog:chromeOptions": {"args": args}, "goog:loggingPrefs": {"browser": "ALL"}}
        end = time.monotonic() + 40
        while not self.session:
            try:
                got = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": options}})
                self.session = "/session/" + got["sessionId"]
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > end:
                    self.close()
                    raise
                time.sleep(0.1)

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + self.session + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())["value"]
        except urllib.error.HTTPError as e:
            raise RuntimeError(json.loads(e.read())["value"]["message"].splitlines()[0]) from None

    def go(self, url):
        self.ask("POST", "/url", {"url": url})

    def run(self, script, *args):
        """The value of a JavaScript function body; a promise is waited for."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def type(self, selector, keys):
        e = self.ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]
        self.ask("POST", f"/element/{e}/value", {"text": keys})

    def console(self):
        """What the page complained of since the last call."""
        return [x["message"] for x in self.ask("POST", "/se/log", {"type": "browser"}) if x["level"] == "SEVERE"]

    def until(self, script, what, *args, seconds=60):
        end = time.monotonic() + seconds
        while not (got := self.run(script, *args)):
            assert time.monotonic() < end, f"{what}: {got}"
            time.sleep(0.05)
        return got

    def close(self):
        if self.session:
            try:
                self.ask("DELETE", "")
            except (OSError, RuntimeError):
                pass
        self.driver.terminate()
        self.driver.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
