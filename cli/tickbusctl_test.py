#!/usr/bin/env python3
"""tickbusctl from outside: a small admin socket answers, exit codes and output are judged.

usage: tickbusctl_test.py TICKBUSCTL
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

MATRIX = {"event": "FEATURE_TIER2_READY", "universe": "tech", "timeframe": "1m", "version": 7,
          "as_of": "2026-01-05T14:31:00Z", "status": "provisional",
          "members": [{"symbol": "AAPL", "reason": "included"},
                      {"symbol": "SLOW", "reason": "lagging"},
                      {"symbol": "MSFT", "reason": "included"}],
          "matrix": [[1], [-0.25, 1]]}


def symbols(request):
    first = int(request.get("from_id", 0))
    rows = [{"id": i, "symbol": f"S{i}", "tick_seq": i * 10} for i in range(first, min(first + 2, 5))]
    return {"symbols": rows, "next_id": first + len(rows), "done": first + len(rows) >= 5}


def log_range(request):
    first, last = int(request["from"]), int(request["to"])
    end = min(first + 2, last)
    rows = [{"pos": p, "symbol": "A", "price": p + 0.5, "bid": None} for p in range(first, end + 1)]
    return {"records": rows, "next_pos": end + 1, "done": end == last}


def pause(request):
    if request["symbol"] != "AAPL":
        raise KeyError("there is no such symbol")
    return {"symbol": "AAPL", "state": "paused"}


class Counter:
    n = 0

    def top(self, request):
        self.n += 1
        return {"state": "ready", "dispatch_lag": 3, "counters": {"ticks_accepted_total": self.n * 1000,
                "publish_dropped_total": 2}, "symbols": [{"id": 0, "symbol": "AAPL", "tick_seq": self.n}]}


class Verification:
    """One that runs for a while; --from 7 finds a difference, --from 8 fails, 9 is refused."""
    looks, first = 0, None

    def begin(self, request):
        self.looks, self.first = 0, request.get("from")
        if self.first == "9":
            raise KeyError("verification 1 is still running")
        return {"id": 5}

    def status(self, request):
        self.looks += 1
        verdict = {"7": "differs", "8": "failed"}.get(self.first, "equal")
        answer = {"id": 5, "running": self.looks < 3, "position": 10, "begin": 1, "end": 20}
        if self.looks >= 3:
            answer |= {"found": {"verdict": verdict}, "text": f"{verdict}: positions\nequal: bar 3\n"}
        return answer


HEADS = [{"kind": "bar", "symbol": f"S{i}", "seq": i, "chain": f"{i:016x}"} for i in range(5)]


def heads(request):
    first = int(request["from"])
    return {"heads": HEADS[first:first + 2], "next": first + 2, "done": first + 2 >= len(HEADS)}


class Job:
    """One of four symbols; one is done at each look, the last one fails."""
    looks, symbols = 0, []

    def begin(self, request):
        if request["start"] == "soon":
            raise KeyError("start: 'soon' is not a day")
        self.looks, self.symbols = 0, request["symbols"]
        return {"job": {"id": 3, "state": "running", "symbols": 4, "remaining": 4, "index": request["index"],
                        "doubles": 1, "refused": [{"symbol": "a b", "reason": "it is no symbol"}]}}

    def show(self, request):
        self.looks += 1
        done = min(self.looks, 4)
        job = {"id": 3, "state": "done" if done == 4 else "running", "symbols": 4, "successful": min(done, 3),
               "failed": done // 4, "cancelled": 0, "remaining": 4 - done, "rows": 1234567, "requests": 9,
               "elapsed_ms": 90000, "items": []}
        if request.get("n") != 0 and done == 4:
            job["items"] = [{"symbol": "XYZ", "reason": "alpaca: no data available"}]
        return {"job": job}


JOB = Job()


def bars(request):
    first = 2 if request.get("start", "").startswith("2024") else 0
    rows = [{"time": f"T{i}", "close": "1.000000001"} for i in range(first, first + 2)]
    columns = {"time_ns": [first, first + 1], "close_e9": [1000000001] * 2,
               **{k: [None] * 2 for k in ("open_e9", "high_e9", "low_e9", "volume_e8", "vwap_e9", "trades")}}
    form = {"columns": columns} if request.get("form") == "columns" else {"bars": rows}
    return {"bars": {"symbol": request["symbol"], **form, **({} if first else {"next": "2024-01-02T00:00:00Z"})}}


VERIFICATION = Verification()
STATE = {"state": "ready", "position": 12, "store": {"alarm": ""}}
STEP = {"first_pos": 5, "last_pos": 9, "accepted": "T0", "finished": True, "seconds": 0.0025,
        "stages": [{"stage": "commit", "time": "T1", "seconds": 0.001}, {"stage": "worker 1", "time": "T2", "seconds": 0.0005}]}
TRACE = {"trace": 7, "epoch": 3, "first_pos": 1, "last_pos": 9, "producer": "p", "producer_seq": 4,
         "record": {"symbol": "AAPL", "price": "10", "time": "T0", "recv_time": "T0"}, "n_events": 3,
         "events": [{"kind": "bar", "name": "AAPL", "timeframe": "1m", "seq": 2, "time": "T9"}],
         "pending": ["tier2"], "retired": [], "step": STEP}
TRACES = {"slowest": [STEP], "newest": [{**STEP, "first_pos": 10, "last_pos": 10}]}
COMMANDS = {
    "status": lambda r: STATE,
    "metrics": lambda r: {"ticks_accepted_total": 5},
    "prometheus": lambda r: {"text": "# HELP a b\ntickbus_ticks_total 5\n"},
    "config": lambda r: {"path": "(built in)", "yaml": "log:\n  level: info\n"},
    "symbols": symbols, "pause": pause, "log_range": log_range,
    "log_count": lambda r: {"count": 12, "first_pos": 1},
    "log_tail": lambda r: {"records": [{"pos": i, "symbol": "B"} for i in range(int(r["n"]))]},
    "quarantine": lambda r: {"rows": [{"id": 1, "reason": "price_not_positive"}]},
    "universes": lambda r: {"universes": [{"name": "tech", "version": 7}]},
    "matrix": lambda r: {"matrix": MATRIX},
    "top": Counter().top,
    "why": lambda r: {"found": [], "next": 9, "done": True, "retired": True},
    "trace": lambda r: TRACES if r["pos"] == "0" else TRACE,
    "verify": VERIFICATION.begin, "verify_status": VERIFICATION.status, "verify_heads": heads,
    "ingest": JOB.begin, "job": JOB.show, "bars": bars,
    "jobs": lambda r: {"jobs": [{"id": 3, "state": "done", "symbols": 4, "vendors": ["alpaca"]}]},
    "job_cancel": lambda r: {"job": {"id": r["id"]}},
    "quality": lambda r: {"quality": {"symbol": r["symbol"], "gaps": 1, "gap_list": [{"from": "A", "seconds": 600}],
                                      "outlier_list": [], "not_complete": []}},
    "cache_list": lambda r: {"cache": {"series": [{"source": "alpaca", "symbol": f"S{r['after']}"}],
                                       **({"next": 1} if r["after"] == "0" else {})}},
    "cache_stats": lambda r: {"cache": {"bars": 5}},
    "cache_invalidate": lambda r: {"cache": {"bars": 7, "series": 1}},
    "index": lambda r: {"index": {"members": [{"symbol": "AAPL"}]} if "name" in r else {"indices": [{"name": "tech"}]}},
    "archive_status": lambda r: {"archive": {}},  # none is kept
    "vendors": lambda r: {"vendors": [{"name": "alpaca", "problem": ""}]},
    "shutdown": lambda r: {},
    "reload": lambda r: None,  # answered with bytes that are no JSON
}


def gaps(request):
    """AAPL misses something, MSFT does not, nobody else is live."""
    if request.get("symbol") not in (None, "AAPL", "MSFT"):
        raise KeyError("no live feed has this symbol")
    open_one = {"symbol": "AAPL", "source": "iex", "from": "2026-01-05T14:30:00Z", "to": "2026-01-05T14:30:09Z",
                "state": "open", "ticks": 0, "why": "answer 500"}
    whole = {**open_one, "symbol": "MSFT", "state": "refilled", "ticks": 7, "why": ""}
    n = 0 if request.get("symbol") == "MSFT" else 1
    return {"gaps": [open_one] * n + [whole] * request["all"], "open": n, "lost": 0, "left_off": 2}


def sources(_request):
    return {"sources": [{"id": 1, "source": "file"},
                        {"id": 2, "source": "iex", "state": "mute", "blind": True, "lag_ms": 3}]}


def answer(line):
    request = json.loads(line)
    command = {"gaps": gaps, "sources": sources, **COMMANDS}.get(request["cmd"])
    try:
        result = command(request)
    except KeyError as e:
        return json.dumps({"id": 0, "ok": False, "code": "not_found", "error": e.args[0]})
    return "no JSON at all" if result is None else json.dumps({"id": 0, "ok": True, "result": result})


def serve(listener):
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            line = peer.makefile().readline()
            if line:
                peer.sendall((answer(line) + "\n").encode())


class Runner:
    def __init__(self, program, path):
        self.program, self.path, self.bad, self.n = program, path, 0, 0

    def __call__(self, args, code, *wanted, stderr="", without=(), path=None):
        """Run with @args; judge exit code, texts in the output, and texts in stderr."""
        command = [self.program, "--admin", path or self.path, *args.split()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.n += 1
        faults = [] if done.returncode == code else [f"exit code {done.returncode}, not {code}"]
        faults += [f"no {w!r} in the output" for w in wanted if w not in done.stdout]
        faults += [f"{w!r} in the output" for w in without if w in done.stdout]
        faults += [f"no {stderr!r} in stderr"] if stderr not in done.stderr else []
        if faults:
            self.bad += 1
            print(f"tickbusctl {args}: {'; '.join(faults)}\n{done.stdout}{done.stderr}")
        return done.stdout


def features(run):
    """Series of the daemon and of a file; one symbol's failure is its own."""
    run("features", 64, stderr="extract or names")
    run("features extract", 64, stderr="there is no symbol")
    for wrong in ("--set all", "--flavour x", "--field open", "--window 0", "--threads 0", "--format xml"):
        run(f"features extract --symbols A {wrong}", 64, stderr="")
    assert len(run("features names", 0).splitlines()) == 777
    assert run("features names --set minimal", 0).split()[:3] == ["sum_values", "median", "mean"]
    # The daemon here has two pages of two bars.
    got = run("features extract --symbols B,A --set minimal", 0).splitlines()
    assert got[0].startswith("symbol,value__sum_values,") and [r.split(",")[0] for r in got[1:]] == ["B", "A"], got
    assert got[1].split(",")[4] == "4", got
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "bars.csv"), os.path.join(folder, "out.csv")
        rows = [f"{s},T{i},1,1,1,{i % 7 + k},9" for i in range(60) for k, s in enumerate(("AA", "BB"))]
        head = "Symbol,timestamp,open,high,low,close,volume"
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join([head, *rows, ""]))
        alone = run(f"features extract --csv {path} --threads 1", 0)
        assert len(alone.splitlines()) == 3
        with open(path, "a", encoding="utf-8") as f:
            f.write("POISON,T,1,1,1,,9\n")
        both = run(f"features extract --csv {path} --threads 4", 1, stderr="POISON: value 0 of the series is not finite")
        assert both.splitlines()[:3] == alone.splitlines() and both.splitlines()[3].startswith("POISON,,,"), both
        some = run(f"features extract --csv {path} --symbols AA,POISON,NONE,BB", 1, stderr="NONE: it has no values")
        assert [r for r in some.splitlines() if r[:3] in ("sym", "AA,", "BB,")] == alone.splitlines(), some
        run(f"features extract --csv {path} --symbols BB,CC -o {out} --format json", 1, stderr="CC: it has no values")
        with open(out, encoding="utf-8") as f:
            made = [json.loads(line) for line in f]
        assert [m["symbol"] for m in made] == ["BB", "CC"] and made[0]["value__length"] == 60, made
        assert made[1]["value__mean"] is None and made[1]["reason"] == "it has no values"
        run(f"features extract --csv {path} --field volume --set minimal", 0, "AA,540,9,9,60,0,0,9,9,9,9")
        run(f"features extract --csv {folder}/none", 74, stderr="none")


def run_all(run, missing):
    run("", 64, stderr="usage: tickbusctl")
    run("--help", 0, "usage: tickbusctl", "feed", "Exit codes")
    run("--version", 0, "tickbusctl ")
    run("nonsense", 64, stderr="there is no command 'nonsense'")
    run("--port 0 status", 64, stderr="--port")
    for name in ("status", "metrics", "top", "symbols", "sub", "feed", "log", "matrix", "pause",
                 "resume", "config", "reload", "shutdown", "verify", "why", "ingest", "jobs", "job",
                 "cancel", "bars", "quality", "cache", "index", "vendors", "gaps", "sources", "indicators",
                 "features", "kill", "quarantine", "subscribers", "trace", "chaos"):
        run(f"{name} --help", 0, f"usage: tickbusctl {name}")
        run(f"help {name}", 0, f"usage: tickbusctl {name}")
        run(f"{name} --nonsense", 64, stderr="--help")
    run("chaos", 64, stderr="say kill")
    run("chaos stall-worker", 64, stderr="takes a worker")
    run("chaos kill me", 64, stderr="takes no argument")
    run("chaos kill --wait 0", 64, stderr="'0' is not in 1..3600")
    run("trace 7", 0, "trace 7, epoch 3", "symbol AAPL", "bar", "timeframe 1m", "and 2 more", "not stored yet: tier2",
        "worker 1", "2.500000 ms", without=("no longer known",))
    run("trace 7 --json", 0, '"n_events"')
    run("trace", 0, "slowest:", "newest:", "10 .. 10")
    run("trace 0", 64, stderr="no log position")
    run("trace 1 2", 64, stderr="unexpected argument '2'")
    run("gaps", 1, "AAPL", "open", "answer 500", "2 more stretches")
    run("gaps MSFT", 0)
    run("gaps MSFT --all", 0, "refilled", "7")
    run("gaps --json", 1, '"open"')
    run("gaps XYZ", 1, stderr="no live feed has this symbol")
    run("gaps A B", 64, stderr="unexpected argument 'B'")
    run("gaps a\"b", 64, stderr="is not a symbol")
    run("sources", 1, "iex", "mute", "file")
    run("sources --json", 1, '"blind"')
    run("sources X", 64, stderr="unexpected argument 'X'")
    for args in ("status", "metrics", "top", "symbols", "log", "matrix", "config", "shutdown", "pause A"):
        run(args, 69, stderr="start it with", path=missing)

    run("status", 0, "state        ready", "store.alarm  -")
    run("status extra", 64)
    json.loads(run("status --json", 0))
    run("metrics", 0, "ticks_accepted_total  5")
    run("metrics --prometheus", 0, "# HELP a b\ntickbus_ticks_total 5\n")
    run("metrics --json --prometheus", 64)
    run("config", 0, "log:\n  level: info\n", without=("built in",))
    run("symbols", 0, "S0", "S4")
    assert run("symbols --csv", 0).splitlines() == ["id,symbol,tick_seq"] + [f"{i},S{i},{i * 10}" for i in range(5)]
    run("pause AAPL", 0, "paused")
    run("pause NOPE", 1, stderr="there is no such symbol")
    run("pause", 64, stderr="missing")
    run("resume A B", 64, stderr="unexpected argument 'B'")
    run("resume", 64, stderr="name what")
    run("kill A --all --reason x", 64, stderr="one thing")
    run("kill A", 64, stderr="--reason")
    run("log", 0, "count")
    assert run("log range 3 9 --csv", 0).splitlines()[1:] == [f"{p},A,{p + 0.5}," for p in range(3, 10)]
    run("log range 3 9", 0, "pos", "9.5", without=("bid",))
    run("log range 9 3", 64)
    run("log range 0 3", 64)
    assert len(run("log tail 4 --csv", 0).splitlines()) == 5
    run("log tail many", 64)
    run("log --quarantine", 0, "price_not_positive")
    run("log nonsense", 64)
    run("matrix", 0, "tech")
    run("matrix tech", 0, "version 7", "provisional", "-0.250", "without SLOW: lagging")
    assert run("matrix tech --csv", 0) == ",AAPL,MSFT\nAAPL,1,-0.25\nMSFT,-0.25,1\n"
    run("top", 0, "ticks accepted", "2,000", "/s", "publish dropped", "dispatch lag", without=("\033",))
    run("top --interval 0", 64)
    run("verify", 0, "equal: positions\nequal: bar 3\n")
    assert json.loads(run("verify --json --workers 2", 0)) == {"verdict": "equal"}
    assert len(run("verify --heads", 0, "S4").splitlines()) == 2 + 5
    run("verify --from 7", 1, "differs: positions")
    run("verify --from 8 --to 9", 75, "failed")
    run("verify --from 9", 75, stderr="still running")
    run("verify --from 9 --to 8", 64)
    run("verify --workers 17", 64)
    run("verify now", 64)
    run("why", 64, stderr="say matrix, bar, feature or source")
    run("why matrix u", 64, stderr="say matrix NAME VERSION")
    run("why bar A 1m 2024-01-02T14:31:00Z", 1, stderr="there is no such bar of A any more")
    run("ingest", 64, stderr="--start is missing")
    run("ingest --start 2024-01-02", 64, stderr="there is no symbol")
    run("ingest A --start soon", 1, stderr="soon")
    run("ingest --csv nowhere.csv --start 2024-01-02", 74, stderr="nowhere.csv")
    run("ingest A B C XYZ --start 2024-01-02", 1, "Ingesting 4 symbols (job 3), 1 named twice",
        "Progress: 4/4 (100.0%)\nSuccessful: 3 | Failed: 1 | Remaining: 0\nElapsed: 1m 30s | Est. remaining: 0s\n",
        "  Successful: 3/5\n  Failed: 2/5\n  1,234,567 rows", "Failed symbols:\n  - a b: it is no symbol\n"
        "  - XYZ: alpaca: no data available\n")
    assert JOB.symbols == ["A", "B", "C", "XYZ"], JOB.symbols
    assert json.loads(run("ingest A --start 2024-01-02 --json", 1))["rows"] == 1234567
    run("ingest A --start 2024-01-02 --no-follow", 1, "job 3", without=("Progress",))
    run("job 3", 75, "so far")
    run("job 3 --follow", 1, "XYZ")
    run("job x", 64, stderr="number of a job")
    run("job", 64)
    run("jobs", 0, "done", "3")
    run("cancel 3", 0, "job 3 is cancelled")
    assert run("bars AAPL --csv", 0).splitlines() == ["time,close"] + [f"T{i},1.000000001" for i in range(4)]
    assert [json.loads(r)["time"] for r in run("bars AAPL --json", 0).splitlines()] == ["T0", "T1", "T2", "T3"]
    run("bars", 64, stderr="one symbol")
    run("quality AAPL", 0, "gaps", "Gaps inside sessions", "600", without=("Outliers",))
    run("cache", 0, "S0", "S1")
    run("cache stats", 0, "5")
    run("cache invalidate", 64, stderr="invalidate what")
    run("cache invalidate AAPL", 0, "7")
    run("cache nonsense", 64)
    run("vendors", 0, "alpaca")
    run("indicators --list", 0, "bbands(20,2)", "upper, middle, lower; bars needed: 20 (talib) 20 (pandas)")
    table = {i["name"]: i for i in json.loads(run("indicators --json", 0))}
    assert table["rsi"]["lookback"] == {"talib": 14, "pandas": 1} and table["obv"]["parameters"] == [], table
    run("indicators rsi", 64, stderr="unexpected argument 'rsi'")
    features(run)
    run("index", 0, "tech")
    assert run("index tech --csv", 0) == "symbol\nAAPL\n"
    run("index a b", 64)
    run("shutdown", 0, "done")
    run("reload", 70, stderr="no JSON")
    STATE["state"] = "draining"
    run("status", 1, "draining")
    run("sub", 64)
    run("sub gossip", 64, stderr="no kind")
    run("sub tick,bar --format csv", 64)
    run("sub tick --from yesterday", 64)
    run("--port 65123 sub tick --seconds 1", 69, stderr="nothing was heard")


def full_output(program, path):
    """An output that cannot be written is exit code 74."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([program, "--admin", path, "--help"], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode == 74 and "cannot write" in done.stderr


def main():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "admin.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        run = Runner(sys.argv[1], path)
        run_all(run, os.path.join(directory, "missing.sock"))
        if not full_output(sys.argv[1], path):
            run.bad += 1
            print("a full output is not told")
        listener.close()
    print(f"tickbusctl_test: {run.n} runs, {run.bad} wrong")
    return 1 if run.bad else 0


if __name__ == "__main__":
    sys.exit(main())
