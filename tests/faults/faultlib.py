"""What the fault tests share: a daemon whose place and text can be chosen, and waiting."""
import contextlib
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402

# A sanitizer makes everything slower: fewer rounds, longer limits.
SLOW = bool(os.environ.get("TICKBUS_SLOW"))
# tools/campaign: what takes minutes.
LONG = bool(os.environ.get("TICKBUS_LONG"))


class Daemon(tb.Tickbusd):
    """A tickbusd whose state may lie elsewhere than its configuration and sockets."""

    def __init__(self, binary, state=None, edit=None, **kwargs):
        super().__init__(binary, **kwargs)
        self.state = state or self.dir
        if state is not None:
            self.edit_config(lambda t: t.replace(f"store: {{dir: {self.dir},", f"store: {{dir: {state},"))
        if edit is not None:
            self.edit_config(edit)

    def edit_config(self, edit):
        with open(self.config, encoding="ascii") as f:
            text = edit(f.read())
        with open(self.config, "w", encoding="ascii") as f:
            f.write(text)

    def counter(self, name):
        """A number of /metrics; the sum over labels."""
        code, text = self.http("/metrics")
        assert code == 200, text
        values = [float(line.rpartition(" ")[2]) for line in text.split("\n")
                  if line.startswith((name + " ", name + "{"))]
        assert values, name
        return sum(values)

    def status(self):
        answer = self.admin("status")
        assert answer["ok"], answer
        return answer["result"]


def until(what, condition, timeout=10, pause=0.05):
    """Wait until @condition() is true and return it; an OSError means not yet."""
    end, last = time.monotonic() + timeout * tb.PATIENCE, None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except OSError as e:
            last = e
        assert time.monotonic() < end, f"{what}: not within {timeout} s ({last!r})"
        time.sleep(pause)


def traced():
    """For tests that let a daemon be traced: a leak checker is a tracer itself."""
    if SLOW:
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"


def new_dir(prefix="tickbus-fault-"):
    return tempfile.mkdtemp(prefix=prefix)


@contextlib.contextmanager
def tmpfs(options):
    """A file system of its own; None when there is no right to mount one."""
    path = new_dir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path],
                                           capture_output=True).returncode != 0:
        os.rmdir(path)
        print("# not allowed to mount: this disk was not tried")
        yield None
        return
    os.chmod(path, 0o700)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=False)
        os.rmdir(path)


def collector():
    """A decorator and the list it fills: the tests whose name contains the second argument."""
    tests, only = [], sys.argv[2] if len(sys.argv) > 2 else ""

    def test(f):
        if only in f.__name__:
            tests.append(f)
        return f

    return test, tests
