#!/usr/bin/env python3
"""Features and reports as jobs of the daemon: analysis_test.py TICKBUSD TICKBUSCTL EXAMPLE_JOBS [TEST...]

Prints TAP.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import reportparts as rp
import tickbusd as tb

BINARY, CTL, JOBS = sys.argv[1:4]
SYMBOLS = ["AAPL", "MSFT", "NVDA", "BRK.B"]
MORE = "analysis: {{program: {ctl}, threads: 2{more}}}\n"
# A program that never ends.
SLOW = "#!/bin/sh\nexec sleep 1000\n"
# The program itself, but that it dies at symbols of the file `deadly`: NAME: [at which of its beginnings, how often].
DEADLY = '''#!/usr/bin/python3 -S
import json, os, signal, socket, subprocess, sys
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "deadly")
order = b""
while piece := os.read(0, 65536):
    order += piece
words = order.partition(b"\\n\\n")[0].decode().split("\\n")
aside = {int(w.split()[1]) for w in words if w.startswith("aside ")}
symbols = next(w for w in words if w.startswith("--symbols="))[10:].split(",")
with open(path, encoding="ascii") as f:
    deadly = json.load(f)
at = {i + 1: s for i, s in enumerate(symbols) if deadly.get(s, [0, 0])[1] > 0 and i + 1 not in aside}
ours, theirs = socket.socketpair()
child = subprocess.Popen([CTL, *sys.argv[1:]], stdin=theirs)
theirs.close()
ours.sendall(order)
ours.shutdown(socket.SHUT_WR)
begun = {}
for line in ours.makefile("rb"):
    os.write(0, line)
    word, row = line.split()[:2]
    if word != b"begin" or int(row) not in at:
        continue
    name = at[int(row)]
    begun[name] = begun.get(name, 0) + 1
    if begun[name] == deadly[name][0]:
        deadly[name][1] -= 1
        with open(path, "w", encoding="ascii") as f:
            json.dump(deadly, f)
        child.kill()
        child.wait()
        os.kill(os.getpid(), signal.SIGSEGV)
sys.exit(child.wait())
'''.replace("CTL", repr(CTL))


class World(rp.World):
    """With VADER's lexicon nowhere, so that the command and the daemon score alike."""

    def __init__(self, more="", program=None):
        super().__init__(BINARY, CTL)
        os.environ["XDG_DATA_HOME"] = self.dir
        if program is not None:
            program = self.script("program", program)
        with open(self.config, "a", encoding="ascii") as f:
            f.write(MORE.format(ctl=program or CTL, more=more))

    def script(self, name, text):
        path = self.file(name, text)
        os.chmod(path, 0o755)
        return path

    def job(self, id):
        return self.admin("job", id=id)["result"]["job"]

    def ended(self, id):
        return tb.until(lambda: (j := self.job(id))["state"] != "running" and j, f"job {id} ends", 120)

    def results(self):
        return sorted(os.listdir(os.path.join(self.dir, "analysis")))

    def text(self, path):
        with open(path, encoding="utf-8") as f:
            return f.read()

    def order(self, *args, code=0):
        """The number that --job says."""
        said = self.ctl(*args, "--job", code=code)
        assert said.startswith("job "), said
        return int(said[4:said.index(":")])

    def subscribers(self, kind):
        return self.admin("top")["result"]["subscribers"][kind]

    def metric(self, name):
        return next(int(line.split()[1]) for line in self.http("/metrics")[1].splitlines() if line.startswith(f"tickbus_{name} "))

    def config_line(self, old, new):
        text = self.text(self.config)
        assert old in text, (old, text)
        with open(self.config, "w", encoding="ascii") as f:
            f.write(text.replace(old, new))


FEATURES = ("features", "extract", "--symbols", ",".join(SYMBOLS), "--timeframe", "1d", "--source", "first", "--set", "efficient",
            "--window", "200")


def without_time(text):
    answer = json.loads(text)
    assert answer.get("report", answer).pop("execution_time_seconds") > 0
    return answer


def children(d):
    """Processes of the daemon, but for itself."""
    with open(f"/proc/{d.process.pid}/task/{d.process.pid}/children", encoding="ascii"):
        pass
    out = []
    for task in os.listdir(f"/proc/{d.process.pid}/task"):
        try:
            with open(f"/proc/{d.process.pid}/task/{task}/children", encoding="ascii") as f:
                out += [int(x) for x in f.read().split()]
        except OSError:  # a thread that has ended
            pass
    return out


def child(d, seconds=60):
    return tb.until(lambda: children(d), "there is a process of analysis", seconds)[0]


def is_alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


def features_are_the_bytes_of_the_command(d):
    d.fetch(SYMBOLS)
    for form in ("csv", "json"):
        want = d.ctl(*FEATURES, "--format", form)
        out = os.path.join(d.dir, f"out.{form}")
        said = d.ctl(*FEATURES, "--format", form, "-o", out, "--job", "--follow")
        assert "Successful: 4/4" in said, said
        assert d.text(out) == want
    id = d.order(*FEATURES)
    job = d.ended(id)
    assert (job["state"], job["what"], job["symbols"], job["successful"], job["remaining"]) == ("done", "features", 4, 4, 0), job
    assert job["options"]["window"] == "200" and job["tries"] == 1, job
    assert d.text(job["result"]) == d.ctl(*FEATURES) and job["bytes"] == os.path.getsize(job["result"])
    assert os.stat(job["result"]).st_mode & 0o777 == 0o600
    # Later, by its number.
    out = os.path.join(d.dir, "later.csv")
    d.ctl("job", str(id), "--follow", "-o", out)
    assert d.text(out) == d.text(job["result"])
    # Over HTTP all of it, but not where files of this machine lie.
    seen = json.loads(d.http(f"/api/job?id={id}")[1])["result"]["job"]
    assert seen["bytes"] == job["bytes"] and "result" not in seen, seen
    metrics = d.http("/metrics")[1]
    assert 'tickbus_analysis_jobs_total{state="done"} 3' in metrics and "tickbus_analysis_symbols_total 12" in metrics
    assert [j["what"] for j in d.admin("jobs")["result"]["jobs"]][:3] == ["features"] * 3
    assert "features" in d.ctl("jobs")


def reports_are_those_of_the_command(d):
    d.fetch(SYMBOLS)
    d.fetch(SYMBOLS, "second")
    d.fetch_news(SYMBOLS)
    names = ["--symbols", ",".join(SYMBOLS)]
    for flow in ("technical", "news", "pricing", "comprehensive", "combined"):
        want = without_time(d.ctl("report", flow, *names, "--json"))
        job = d.ended(d.order("report", flow, *names, "--json"))
        assert job["state"] == "done" and job["successful"] == 4, job
        assert without_time(d.text(job["result"])) == want, flow
    page, mine = os.path.join(d.dir, "job.html"), os.path.join(d.dir, "mine.html")
    d.ctl("report", "combined", *names, "--html", mine)
    d.ctl("report", "combined", *names, "--html", page, "--job", "--follow")
    assert d.text(page) == d.text(mine)


def holdings_go_with_the_order(d):
    d.fetch(SYMBOLS)
    held = d.file("held.csv", "symbol,quantity,cost_basis\nAAPL,10,1000\nNVDA,-5,\nnonsense\n")
    args = ("report", "pricing", "--symbols", "MSFT", "--portfolio", held, "--json")
    want = without_time(d.ctl(*args, code=1))
    job = d.ended(d.order(*args))
    assert job["symbols"] == 3 and job["state"] == "done", job
    assert without_time(d.text(job["result"])) == want
    assert want["portfolio"]["positions"], want


def a_bad_symbol_stays_with_itself(d):
    """One that is poisoned, one that nobody has: the other rows are those of a job without them."""
    good = d.first.bars
    d.first.bars = lambda s: [{**b, "c": 1e-9, "h": 1e9, "l": 1e-9} for b in good(s)] if s == "POISON" else good(s)
    d.fetch([*SYMBOLS, "POISON"])
    alone = d.text(d.ended(d.order(*FEATURES))["result"]).splitlines()
    args = list(FEATURES)
    args[3] = ",".join(["NONE", SYMBOLS[0], "POISON", *SYMBOLS[1:]])
    id = d.order(*args)
    job = d.ended(id)
    assert (job["state"], job["failed"]) == ("done", 1), job
    rows = d.text(job["result"]).splitlines()
    assert [r for r in rows if not r.startswith(("NONE", "POISON"))] == alone
    assert rows == d.ctl(*args, code=1).splitlines()
    assert [(i["symbol"], i["state"]) for i in job["items"]] == [("NONE", "failed")], job
    # As the command says it, with the same exit code.
    assert job["items"][0]["reason"] in d.ctl(*args, code=1, what="stderr")
    assert "NONE: " + job["items"][0]["reason"] in d.ctl("job", str(id), code=1)


def poison(d, **deadly):
    d.file("deadly", json.dumps(deadly))


def a_symbol_that_ends_the_process_fails_alone(d):
    """One at which it dies when it reads its bars, one when it computes; the others' rows are the command's, without the two."""
    names = ["AAPL", "POISON", "MSFT", "VENOM", "NVDA", "BRK.B"]
    d.fetch(names)
    for form, more in (("csv", []), ("json", ["--impute"])):
        args = [*FEATURES, "--format", form, *more]
        alone = d.ctl(*args).splitlines()
        args[3] = ",".join(names)
        poison(d, POISON=[1, 99], VENOM=[2, 99])
        before = {k: d.metric(k) for k in ("analysis_deaths_total", "analysis_set_aside_total")}
        id = d.order(*args)
        job = d.ended(id)
        assert (job["state"], job["successful"], job["failed"]) == ("done", 4, 2), job
        rows = d.text(job["result"]).splitlines()
        mine = [r for r in rows if "POISON" in r or "VENOM" in r]
        assert [r for r in rows if r not in mine] == alone and len(mine) == 2, rows
        if form == "csv":
            assert all_empty(mine[0]) and all_empty(mine[1]), mine
        assert {i["symbol"] for i in job["items"]} == {"POISON", "VENOM"}, job
        assert all("set aside" in i["reason"] and "Segmentation fault" in i["reason"] for i in job["items"]), job
        deaths = d.metric("analysis_deaths_total") - before["analysis_deaths_total"]
        assert 4 <= deaths <= 5 and job["tries"] == deaths + 1, (deaths, job)
        assert d.metric("analysis_set_aside_total") - before["analysis_set_aside_total"] == 2
        assert "POISON: set aside" in d.ctl("job", str(id), code=1)
    said = d.errors()
    assert "POISON is set aside" in said and "VENOM is set aside" in said and "with one thread" in said, said


def all_empty(row):
    return set(row.split(",")[1:]) == {""}


def lists_of(answer, path=""):
    """Those of an answer that have a row per symbol."""
    out = {}
    for k, v in answer.items():
        if isinstance(v, dict):
            out |= lists_of(v, f"{path}{k}.")
        elif isinstance(v, list) and v and isinstance(v[0], dict) and "ticker" in v[0]:
            out[path + k] = v
    return out


def a_report_goes_on_without_it(d):
    names = ["AAPL", "POISON", *SYMBOLS[1:]]
    d.fetch(names)
    d.fetch_news(names)
    poison(d, POISON=[1, 99])
    for flow in ("combined", "news"):
        want = without_time(d.ctl("report", flow, "--symbols", ",".join(SYMBOLS), "--json"))
        job = d.ended(d.order("report", flow, "--symbols", ",".join(names), "--json"))
        assert (job["state"], job["successful"], job["failed"]) == ("done", 4, 1), job
        assert job["items"][0]["symbol"] == "POISON" and "set aside" in job["items"][0]["reason"], job
        lists, got = lists_of(want), lists_of(without_time(d.text(job["result"])))
        assert lists and {k: [r for r in got[k] if r["ticker"] != "POISON"] for k in lists} == lists, flow


def bad_luck_is_no_poison(d):
    """It dies once at each of two symbols: nobody is set aside."""
    d.fetch(SYMBOLS)
    want = d.ctl(*FEATURES)
    poison(d, MSFT=[2, 1], NVDA=[1, 1])
    job = d.ended(d.order(*FEATURES))
    assert (job["state"], job["failed"], job["tries"]) == ("done", 0, 3), job
    assert d.text(job["result"]) == want and d.metric("analysis_set_aside_total") == 0


def names_that_are_none_are_refused(d):
    d.fetch(SYMBOLS)
    ask = {"what": "features", "symbols": SYMBOLS}
    for more, word in (({"options": {"out": "/tmp/x"}}, "no option 'out'"),
                       ({"options": {"csv": "/etc/passwd"}}, "no option 'csv'"),
                       ({"options": {"vader": "/etc/passwd"}}, "no option 'vader'"),
                       ({"options": {"admin": "/tmp/other"}}, "no option 'admin'"),
                       ({"options": {"window": "5\n--out=/tmp/x"}}, "window is not a text"),
                       ({"options": {"source": "../x"}}, "source is not a text"),
                       ({"options": {"source": ""}}, "source is not a text"),
                       ({"options": {"impute": "yes"}}, "impute is not true or false"),
                       ({"options": ["x"]}, "options is not an object"),
                       ({"options": {"adjust": "raw"}}, "no option 'adjust' of features"),
                       ({"format": "../../x"}, "is not csv or json"),
                       ({"what": "query"}, "what is not"),
                       ({"what": "report", "flow": "x"}, "flow is not"),
                       ({"holdings": "a"}, "holdings"),
                       ({"symbols": []}, "symbols is not a list"),
                       ({"symbols": ["a b", "../x"]}, "not one of the symbols")):
        answer = d.admin("analyse", **{**ask, **more})
        assert not answer["ok"] and word in json.dumps(answer), (more, answer)
    assert d.results() == []
    d.ctl(*FEATURES, "--job", "--csv", "x", code=64)
    d.ctl("report", "pricing", "--symbols", "AAPL", "--job", code=64)
    # A value that the command refuses ends the job, with the command's sentence.
    job = d.ended(d.admin("analyse", **ask, options={"window": "0"})["result"]["job"]["id"])
    assert job["state"] == "failed" and "--window takes" in job["reason"], job
    assert job["failed"] == 4 and "result" not in job and d.results() == [], job
    assert "No result: --window takes" in d.ctl("job", str(job["id"]), code=1)


def a_job_goes_on_after_a_kill_of_its_process(d):
    d.fetch(SYMBOLS)
    args = list(FEATURES) + ["--set", "comprehensive"]
    want = d.ctl(*args)
    d.stop()
    # Stands still the first time, computes the second.
    d.script("once", f"#!/bin/sh\nif [ ! -e {d.dir}/been ]; then touch {d.dir}/been; exec sleep 1000; fi\nexec {CTL} \"$@\"\n")
    d.config_line(f"program: {CTL}", f"program: {d.dir}/once")
    d.start()
    id = d.order(*args)
    first = child(d)
    tb.until(lambda: os.path.exists(os.path.join(d.dir, "been")), "it stands still", 60)
    assert d.job(id)["state"] == "running"
    # Meanwhile the daemon takes ticks.
    assert tb.feed(d, [tb.trade("AAPL", 1, 10, 1)])["accepted"] == 1
    os.kill(first, signal.SIGKILL)
    job = d.ended(id)
    assert (job["state"], job["tries"]) == ("done", 2), job
    assert d.text(job["result"]) == want
    assert "tickbus_analysis_deaths_total 1" in d.http("/metrics")[1]


def a_process_that_always_dies_ends_the_job(d):
    d.fetch(SYMBOLS)
    id = d.order(*FEATURES)
    job = d.ended(id)
    assert job["state"] == "failed" and job["tries"] == 3, job
    assert "Segmentation fault" in job["reason"] and d.results() == [], job
    # The next one is taken all the same, and the daemon lives.
    assert d.ended(d.order(*FEATURES))["state"] == "failed"
    assert tb.feed(d, [tb.trade("AAPL", 1, 10, 1)])["accepted"] == 1


def nonsense_ends_the_process(d):
    """It is ours, but may be damaged: rows that are none, rows twice, a line without an end, no rows at all."""
    d.fetch(SYMBOLS)
    made = "echo begin 1; echo done 1"
    for talk, word in (("echo done 5", "symbol 5 of 4"), (f"{made}; echo done 1", "again, or too early"), ("echo hello", "no progress"),
                       ("echo done 1", "again, or too early"), ("echo begin 1; echo begin 1", "again, or too early"),
                       ("yes done | tr -d '\\n'", "without an end"), (made, "told of 1 of 4"), ("echo done 0", "no progress")):
        d.script("program", f"#!/bin/sh\ncat >/dev/null\n({talk}) >&0\n")
        job = d.ended(d.order(*FEATURES))
        assert job["state"] == "failed" and word in job["reason"], (talk, job)
    assert d.results() == []


def a_kill_of_the_daemon_begins_it_again(d):
    d.fetch(SYMBOLS)
    want = d.ctl(*FEATURES)
    d.stop()
    # The program itself, asking somebody who never answers.
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(os.path.join(d.dir, "silent"))
    silent.listen()
    d.script("slow", f"#!/bin/sh\nshift 2\nexec {CTL} --admin {d.dir}/silent --timeout 3600000 \"$@\"\n")
    d.config_line(f"program: {CTL}", f"program: {d.dir}/slow")
    d.start()
    id = d.order(*FEATURES)
    pid = child(d)
    silent.settimeout(60)
    held = silent.accept()  # it asks, so it has bounded itself
    d.kill()
    tb.until(lambda: not is_alive(pid), "the process ends with its daemon")
    assert d.results() == [f".job-{id}.part"], d.results()
    d.config_line(f"program: {d.dir}/slow", f"program: {CTL}")
    d.start()
    job = d.ended(id)
    del held
    assert (job["state"], job["tries"]) == ("done", 2), job
    assert d.text(job["result"]) == want and d.results() == [f"job-{id}.csv"], d.results()


def it_gives_way_as_it_is_told(d):
    """SCHED_IDLE at 20, all of its threads; the daemon's own are as they were."""
    d.fetch(SYMBOLS)
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(os.path.join(d.dir, "silent"))
    silent.listen()
    for nice, policy, value in ((7, os.SCHED_OTHER, 7), (20, os.SCHED_IDLE, 19)):
        d.stop()
        d.script("silently", f"#!/bin/sh\nshift 2\nexec {CTL} --admin {d.dir}/silent --timeout 3600000 \"$@\"\n")
        with open(d.config, encoding="ascii") as f:
            text = re.sub("analysis: .*", f"analysis: {{program: {d.dir}/silently, threads: 2, nice: {nice}}}", f.read())
        with open(d.config, "w", encoding="ascii") as f:
            f.write(text)
        d.start()
        id = d.order(*FEATURES)
        silent.settimeout(60)
        held = silent.accept()  # it asks, so it has bounded itself
        pid = child(d)
        assert os.sched_getscheduler(pid) == policy and os.getpriority(os.PRIO_PROCESS, pid) == value, nice
        assert os.sched_getscheduler(d.process.pid) == os.SCHED_OTHER
        d.ctl("cancel", str(id))
        tb.until(lambda: not children(d), "it ends")
        del held


def an_orderly_end_does_not_wait(d):
    d.fetch(SYMBOLS)
    id = d.order(*FEATURES)
    pid = child(d)
    begun = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - begun < 30 and not is_alive(pid)
    d.config_line(f"program: {d.dir}/program", f"program: {CTL}")
    d.start()
    assert d.ended(id)["state"] == "done"


def cancel_ends_the_process(d):
    d.fetch(SYMBOLS)
    id, next_id = d.order(*FEATURES), d.order(*FEATURES)
    pid = child(d)
    assert len(children(d)) == 1 and d.job(next_id)["state"] == "running"  # one at a time
    d.ctl("cancel", str(id))
    job = d.job(id)
    assert (job["state"], job["cancelled"], job["remaining"]) == ("cancelled", 4, 0), job
    tb.until(lambda: not is_alive(pid), "the process ends")
    tb.until(lambda: children(d) and children(d)[0] != pid, "the next begins")
    assert not d.admin("job_cancel", id=id)["ok"]
    d.ctl("cancel", str(next_id))
    tb.until(lambda: not children(d), "nothing runs")
    tb.until(lambda: d.results() == [], "nothing is left")
    assert d.job(id)["state"] == "cancelled"


def bounds_hold(d):
    """Too long a result: that job alone fails."""
    d.fetch(SYMBOLS)
    job = d.ended(d.order("report", "combined", "--symbols", ",".join(SYMBOLS), "--history", "--json"))
    assert job["state"] == "failed" and "File too large" in job["reason"], job
    assert d.results() == []
    assert d.ended(d.order("features", "extract", "--symbols", "AAPL", "--timeframe", "1d", "--set", "minimal"))["state"] == "done"


def too_little_memory_fails_that_job(d):
    """Beside one that is computed at the same time; the daemon's own memory has no such bound."""
    if os.environ.get("TICKBUS_SLOW"):
        return  # a sanitizer needs the address space for itself, and the process is not bounded
    d.fetch(SYMBOLS)
    want = d.ctl(*FEATURES)
    greedy = ("features", "extract", "--symbols", ",".join(SYMBOLS), "--timeframe", "1d", "--set", "comprehensive", "--window", "131072")
    ids = [d.order(*args) for args in (greedy, FEATURES, greedy)]
    jobs = [d.ended(id) for id in ids]
    assert [j["state"] for j in jobs] == ["failed", "done", "failed"], jobs
    for job in (jobs[0], jobs[2]):
        assert job["tries"] == 1 and job["reason"].startswith("no memory for a window of 131072 values"), job
        assert job["reason"].endswith("(analysis.memory is its bound)") and job["failed"] == 4, job
    assert d.text(jobs[1]["result"]) == want and d.results() == [f"job-{ids[1]}.csv"]
    assert "analysis.memory" in d.ctl("job", str(ids[0]), code=1)
    assert d.metric("analysis_deaths_total") == 0
    assert tb.feed(d, [tb.trade("AAPL", 1, 10, 1)])["accepted"] == 1


def work(d, words, memory):
    """The process that the daemon would begin: (exit code, result but for the time, what it said)."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(("\n".join([*words, "--symbols=" + ",".join(SYMBOLS)]) + "\n\n").encode())
        ours.shutdown(socket.SHUT_WR)
        done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "work", str(memory), str(1 << 30), "0"], stdin=theirs,
                              capture_output=True, text=True, timeout=300)
    return done.returncode, re.sub('"execution_time_seconds":[^,}]*', "", done.stdout), done.stderr


def any_memory_gives_the_result_or_a_sentence(d):
    """Never a part of it, nor an end that would be taken for bad luck."""
    if os.environ.get("TICKBUS_SLOW"):
        return  # a sanitizer needs the address space for itself
    d.fetch(SYMBOLS)
    d.fetch_news(SYMBOLS)
    words = d.file("words", "".join(f"word{i}\t1.0\t0.5\t[1]\n" for i in range(7000)))
    mib = [*(m / 2 for m in range(6, 28)), *range(14, 40, 2)]
    for order in (["features", "extract", "--format=csv", "--timeframe=1d", "--set=comprehensive", "--threads=2"],
                  ["report", "combined", "--json", "--history", "--workers=2", f"--vader={words}"]):
        whole, ends = work(d, order, 1 << 30), {}
        assert whole[0] == 0, whole
        for m in mib:
            code, result, said = ends[m] = work(d, order, int(m * (1 << 20)))
            if code in (0, 1):
                assert (code, result) == whole[:2], (order, m, said)
            else:
                assert code in (70, 74, -signal.SIGABRT) and ("no memory" in said or "out of memory" in said), (order, m, code, said)
        codes = {m: e[0] for m, e in ends.items()}
        assert codes[mib[-1]] == 0 and any(code not in (0, 1) for code in codes.values()), codes


def too_long_is_too_long(d):
    d.fetch(SYMBOLS)
    job = d.ended(d.order(*FEATURES))
    assert job["state"] == "failed" and "analysis.limit" in job["reason"] and d.results() == [], job


def progress_is_told_to_subscribers(d):
    """Of jobs that fetch and of those that compute: a last word that says how it ended, in SBE and in JSON."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../client/python"))
    import tickbus
    lines = tb.Listener(d, "json_status")
    url = f"tcp://127.0.0.1:{d.port['status']}"
    said = open(os.path.join(d.dir, "said"), "w+", encoding="utf-8")  # of the C library
    example = subprocess.Popen([JOBS, url], stdout=said, stderr=said)
    try:
        hear_of_jobs(d, tickbus.Jobs(urls={"status": url}), lines, said.name)
    finally:
        example.kill()
        example.wait()
        said.close()
    assert 'tickbus_published_total{kind="job"}' in d.http("/metrics")[1]


def hear_of_jobs(d, listener, lines, said):
    with listener as jobs:
        tb.until(lambda: (jobs.next(0.05), d.subscribers("status") >= 2)[1], "both are connected", 60)
        d.fetch([*SYMBOLS, "NOPE"], "first", 1)
        ids = [1, d.order(*FEATURES)]
        ids.append(d.admin("analyse", what="features", symbols=SYMBOLS, options={"window": "0"})["result"]["job"]["id"])
        newest, words = {}, []
        while any(i not in newest or newest[i].state == "running" for i in ids):
            job = jobs.next(60)
            assert job is not None, newest
            newest[job.id] = job
            words.append(job)
        for i in ids:
            want = d.job(i)
            assert (newest[i].what, newest[i].state, newest[i].total) == (want["what"], want["state"], want["symbols"]), newest
            assert (newest[i].done, newest[i].failed) == (want["successful"], want["failed"]), newest
            assert newest[i].finished_ns is not None
        assert newest[1].failed == 1 and newest[ids[2]].text.startswith("--window takes"), newest
        assert all(w.done + w.failed + w.cancelled <= w.total for w in words)
        assert len(words) == len(set(words)), "a word says something new"
        for i in ids:
            last = tb.until(lambda i=i: (x := json.loads(lines.wait(1, f"job.{i}|".encode())[-1].partition(b"|")[2]))["state"] ==
                            newest[i].state and x, f"the last word of job {i} in JSON", 60)
            assert last["event"] == "JOB_PROGRESS", last
        tb.until(lambda: all(f"job {i}, {newest[i].what}: {newest[i].state}, 4 of 4, {newest[i].failed} failed {newest[i].text}\n" in
                             d.text(said) for i in ids[1:]), "the C library says so, too", 60)
        # Nothing changes: nothing is said.
        assert jobs.next(1.0) is None


def progress_is_told_to_the_page(d):
    """In its stream: how far those are that run, when that has changed, and a number that says when to ask for the list."""
    import urllib.request
    stream = urllib.request.urlopen(f"http://127.0.0.1:{d.port['http']}/live", timeout=60)

    def frames():
        while True:
            line = stream.readline()
            if line.startswith(b"data: "):
                yield json.loads(line[6:])

    seen = frames()
    first = next(f for f in seen if "jobs" in f)["jobs"]  # a moment later than the first, when nobody had looked
    assert first["running"] == [], first
    d.fetch([*SYMBOLS, "NOPE"], "first", 1)
    told, sets, end = [], [first["set"]], time.monotonic() + 120
    for frame in seen:
        assert time.monotonic() < end, told
        if "jobs" not in frame:
            continue
        jobs = frame["jobs"]
        assert not told or jobs != told[-1], "a word says something new"
        told.append(jobs)
        if jobs["set"] != sets[-1]:
            sets.append(jobs["set"])
        for _, total, done, failed, cancelled in jobs["running"]:
            assert total == 5 and done + failed + cancelled <= total, jobs
        if jobs["running"] == [] and d.job(1)["state"] != "running":
            break
    assert sets == sorted(set(sets)) and len(sets) >= 2, sets
    # Nothing changes: nothing is told.  Whoever comes later hears of the whole at once.
    quiet = [next(seen) for _ in range(8)]
    assert not any("jobs" in f for f in quiet), quiet
    later = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{d.port['http']}/live", timeout=60).readline()[6:])
    assert later["jobs"] == told[-1], (later["jobs"], told[-1])
    stream.close()


def results_go_with_their_jobs(d):
    """As many as jobs are remembered."""
    d.fetch(SYMBOLS)
    args = ("features", "extract", "--symbols", "AAPL", "--timeframe", "1d", "--set", "minimal")
    ids = [d.order(*args) for _ in range(5)]
    for id in ids:
        tb.until(lambda: "result" in (d.admin("job", id=id).get("result") or {"job": {"result": 1}})["job"], "it ends", 60)
    want = [f"job-{i}.csv" for i in ids[-2:]]
    tb.until(lambda: d.results() == want, f"only {want} are left")


def a_folder_of_others_is_refused(d):
    d.fetch(SYMBOLS)
    d.stop()
    os.chmod(os.path.join(d.dir, "analysis"), 0o777)
    d.start()
    assert "can be written by others" in d.ctl(*FEATURES, "--job", code=1, what="stderr")
    d.ctl(*FEATURES)  # everything else goes on
    d.stop()
    os.rmdir(os.path.join(d.dir, "analysis"))
    os.mkdir(os.path.join(d.dir, "elsewhere"), 0o700)
    os.symlink(os.path.join(d.dir, "elsewhere"), os.path.join(d.dir, "analysis"))
    d.start()
    assert "analysis.dir" in d.ctl(*FEATURES, "--job", code=1, what="stderr")


def two_at_a_time(d):
    d.fetch(SYMBOLS)
    ids = [d.order(*FEATURES) for _ in range(3)]
    tb.until(lambda: len(children(d)) == 2, "two run")
    for id in ids:
        d.ctl("cancel", str(id))
    tb.until(lambda: not children(d), "none runs")


def without_vendors(d):
    """A report of what was seen live, by a daemon that fetches nothing."""
    tb.feed(d, [tb.trade("AAPL", 60 * i, 100 + i, i + 1) for i in range(30)])
    d.feed_clock()
    args = ("report", "pricing", "--symbols", "AAPL", "--timeframe", "1m", "--json")
    tb.until(lambda: len(d.frames_of("bar")) >= 30, "every bar is there", 60)
    want = without_time(d.ctl(*args))
    job = d.ended(d.order(*args))
    assert job["state"] == "done", job
    assert without_time(d.text(job["result"])) == want
    assert not d.admin("ingest", symbols=["AAPL"], start="2024-01-01")["ok"]


class Alone(tb.Tickbusd):
    def __init__(self):
        super().__init__(BINARY)
        self.program = CTL
        with open(self.config, "a", encoding="ascii") as f:
            f.write(f"analysis: {{dir: {self.dir}/elsewhere, program: {CTL}}}\n")

    def frames_of(self, kind):
        return [b for b in self.events(kind) if b"AAPL" in b]

    def feed_clock(self):
        tb.feed_json(self, tb.clock_request(3600, 1))

    ctl, job, ended, text, order = rp.World.ctl, World.job, World.ended, World.text, World.order


WORLDS = [(World, [features_are_the_bytes_of_the_command, reports_are_those_of_the_command, holdings_go_with_the_order,
                   a_bad_symbol_stays_with_itself, names_that_are_none_are_refused, a_job_goes_on_after_a_kill_of_its_process,
                   progress_is_told_to_subscribers, progress_is_told_to_the_page, a_kill_of_the_daemon_begins_it_again, it_gives_way_as_it_is_told,
                   a_folder_of_others_is_refused]),
          (lambda: World(program="#!/bin/sh\nkill -SEGV $$\n"), [a_process_that_always_dies_ends_the_job]),
          (lambda: World(program=DEADLY), [a_symbol_that_ends_the_process_fails_alone, a_report_goes_on_without_it,
                                           bad_luck_is_no_poison]),
          (lambda: World(program="#!/bin/sh\n"), [nonsense_ends_the_process]),
          (lambda: World(program=SLOW), [an_orderly_end_does_not_wait, cancel_ends_the_process]),
          (lambda: World(", limit: 1s", SLOW), [too_long_is_too_long]),
          (lambda: World(", jobs: 2", SLOW), [two_at_a_time]),
          (lambda: World(", result: 64KiB"), [bounds_hold]),
          (lambda: World(", memory: 128MiB, jobs: 2"), [too_little_memory_fails_that_job]),
          (World, [any_memory_gives_the_result_or_a_sentence]),
          (Alone, [without_vendors])]
ALL = [(make, test) for make, tests in WORLDS for test in tests]


class Remember(World):
    """ingest.jobs stands in the section that World has already."""

    def __init__(self):
        super().__init__()
        self.config_line("ingest: {workers: 4}", "ingest: {workers: 4, jobs: 2}")


ALL.append((Remember, results_go_with_their_jobs))
ONLY = sys.argv[4:]
if ONLY:
    ALL = [x for x in ALL if x[1].__name__ in ONLY]
makes = iter([make for make, _ in ALL])
sys.exit(tb.tap([test for _, test in ALL], lambda: next(makes)()))
