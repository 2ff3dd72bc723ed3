"""Runs the asker (asker.c) against the mock vendors; TAP for the tests beside."""
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mock"))
import mock_vendors  # noqa: E402  (found by the line above)

MockVendors = mock_vendors.MockVendors
KEY, SECRET = "KEY-that-must-not-show", "SECRET-that-must-not-show"


class Outcome:
    """What asker printed."""

    def __init__(self, text, err, code, seconds):
        self.text, self.err, self.code, self.seconds = text, err, code, seconds
        lines = [json.loads(line) for line in text.splitlines()]
        self.lines = lines
        self.rows = [x for x in lines if x["kind"] in ("bar", "tick", "article", "action")]
        self.pages = [x for x in lines if x["kind"] == "page"]
        self.ends = {x["ask"]: x for x in lines if x["kind"] == "end"}
        self.counts = next((x for x in lines if x["kind"] == "counts"), None)

    @property
    def end(self):
        return self.ends[0]


def start(asker, options, keys):
    # LC_ALL and what sanitizers read stay; proxies and credentials of others do not.
    env = {k: v for k, v in os.environ.items()
           if "proxy" not in k.lower() and not k.startswith("TICKBUS")}
    return subprocess.Popen([asker, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**env, **keys})


def ask(asker, lines, options, keys=None, timeout=120):
    """Ask all of @lines (or the one) and wait for the end."""
    keys = {"ASK_KEY": KEY, "ASK_SECRET": SECRET} if keys is None else keys
    began = time.monotonic()
    p = start(asker, options, keys)
    text = lines if isinstance(lines, str) else "\n".join(lines)
    out, err = p.communicate(text + "\n", timeout=timeout)
    return Outcome(out, err, p.returncode, time.monotonic() - began)


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def result(self, is_ok, name, *notes):
        self.n += 1
        self.failed += not is_ok
        print(("ok" if is_ok else "not ok"), self.n, "-", name, flush=True)
        for note in notes:
            print("# " + str(note).replace("\n", "\n# "), flush=True)

    def run(self, test, *args):
        began = time.monotonic()
        try:
            notes = test(*args) or []
        except Exception:  # pylint: disable=broad-except
            self.result(False, test.__name__, traceback.format_exc())
            return
        self.result(True, test.__name__, *notes, f"{time.monotonic() - began:.1f} s")

    def done(self):
        print(f"1..{self.n}")
        return 1 if self.failed else 0
