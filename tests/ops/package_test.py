#!/usr/bin/env python3
"""The Debian packages, and the manual followed word by word: package_test.py SOURCE_DIR [CHROOT]

Builds the packages from a copy of the tree, looks at what is in them, also with lintian, makes a clean Debian 12 with debootstrap
and does there what docs/OPERATIONS.md says: each block behind `<!-- follow: NAME -->` as it stands, in the order of a package's
life, and looks after each what became of it.  No systemd runs in a chroot: standin_systemctl starts the unit's ExecStart as the
unit's user.  CHROOT: a clean system that was made before; it is copied, not changed.

For tools/campaign: it needs root, a mirror of Debian, what tools/setup package installs, and minutes.  Mounts are in a mount
namespace and processes in a pid namespace of its own, which end with it.  Prints TAP.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.abspath(sys.argv[1])
CHROOT = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else ""
NEXT = "9:0.1.0+next1"  # a version above any
TESTS = []
PACKAGES = {
    "tickbus": ["/usr/sbin/tickbusd", "/usr/bin/tickbusctl", "/lib/systemd/system/tickbusd.service",
                "/usr/lib/sysusers.d/tickbus.conf", "/usr/lib/tmpfiles.d/tickbus-tmpfiles.conf",
                "/etc/tickbusd/tickbusd.yaml", "/usr/share/man/man8/tickbusd.8.gz",
                "/usr/share/bash-completion/completions/tickbusctl", "/usr/share/bash-completion/completions/tickbusd",
                "/usr/share/zsh/vendor-completions/_tickbusctl", "/usr/share/tickbus/prometheus/tickbus.rules.yml",
                "/usr/share/tickbus/grafana/tickbus.json", "/usr/share/doc/tickbus/OPERATIONS.md.gz"],
    "libtickbus0": ["/usr/lib/*/libtickbus.so.0"],
    "libtickbus-dev": ["/usr/include/tickbus/tickbus.h", "/usr/lib/*/libtickbus.so",
                       "/usr/lib/*/pkgconfig/tickbus.pc", "/usr/share/man/man3/libtickbus.3.gz"],
    "python3-tickbus": ["/usr/lib/python3/dist-packages/tickbus.py"],
}


def test(f):
    TESTS.append(f)
    return f


def run(*args, ok=True, **more):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    assert not ok or done.returncode == 0, f"{' '.join(args)}: {done.returncode}\n{done.stdout[-3000:]}"
    return done


def manual():
    """{name: the commands of a block of the manual, as they stand there}"""
    with open(os.path.join(SOURCE, "docs", "OPERATIONS.md"), encoding="utf-8") as f:
        blocks = re.findall(r"<!-- follow: (\w+) -->\n```\n(.*?)```\n", f.read(), re.S)
    assert len(dict(blocks)) == len(blocks), "a name twice"
    return dict(blocks)


class World:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tickbus-package-")
        self.root = os.path.join(self.dir, "root")
        self.blocks, self.followed, self.tree, self.ticks, self.position = manual(), set(), "/srv/release/tree", 0, 0

    # ---- packages

    def build(self):
        """The packages of a copy of the tree, beside it."""
        folder = os.path.join(self.dir, "built")
        tree = os.path.join(folder, "tickbus")
        os.makedirs(tree)
        files = run("git", "ls-files", "-coz", "--exclude-standard", cwd=SOURCE).stdout.split("\0")
        for f in filter(None, files):
            os.makedirs(os.path.dirname(os.path.join(tree, f)), exist_ok=True)
            shutil.copy2(os.path.join(SOURCE, f), os.path.join(tree, f), follow_symlinks=False)
        self.followed.add("build")
        run("nice", "sh", "-ec", self.blocks["build"], cwd=tree,
            env={**os.environ, "DEB_BUILD_OPTIONS": "parallel=2 noautodbgsym"})
        shutil.rmtree(tree)
        return folder

    def next_release(self):
        """The same packages under a higher version."""
        folder = os.path.join(self.dir, "next")
        os.mkdir(folder)
        for deb in glob.glob(os.path.join(self.debs, "*.deb")):
            tree = os.path.join(folder, "tree")
            run("dpkg-deb", "-R", deb, tree)
            path = os.path.join(tree, "DEBIAN", "control")
            with open(path, encoding="utf-8") as f:
                text = f.read()
            old = re.search(r"^Version: (.*)$", text, re.M)[1]
            with open(path, "w", encoding="utf-8") as f:
                f.write(re.sub(r"^Version: .*$", f"Version: {NEXT}", text, flags=re.M).replace(f"(= {old})", f"(= {NEXT})"))
            run("dpkg-deb", "-b", tree, os.path.join(folder, os.path.basename(deb)))
            shutil.rmtree(tree)
        return folder

    def offer(self, folder):
        """Lays packages where the manual expects them: beside the tree in which one stands."""
        above = os.path.dirname(self.root + self.tree)
        shutil.rmtree(above, ignore_errors=True)
        os.makedirs(self.root + self.tree)
        for deb in glob.glob(os.path.join(folder, "*.deb")):
            shutil.copy(deb, above)

    # ---- the system

    def make_system(self):
        if CHROOT:
            run("cp", "-a", "--reflink=auto", CHROOT, self.root)
        else:
            mirror = re.search(r"(https?://\S+) bookworm/main", run("apt-cache", "policy").stdout)
            run("nice", "debootstrap", "--variant=minbase", "bookworm", self.root, *([mirror[1]] if mirror else []))
        run("mount", "-t", "proc", "proc", os.path.join(self.root, "proc"))
        os.makedirs(os.path.join(self.root, "run/systemd/system"))  # where packages look whether systemd runs
        stand_ins = {"systemctl": open(os.path.join(HERE, "standin_systemctl"), encoding="utf-8").read(),
                     "sudo": '#!/bin/sh\nexec "$@"\n'}  # of a root: minbase has none
        for name, text in stand_ins.items():
            path = os.path.join(self.root, "usr/local/bin", name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(path, 0o755)
        with open(os.path.join(self.root, "etc/apt/apt.conf.d/90standin"), "w", encoding="utf-8") as f:
            f.write('APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n'
                    'DPkg::Path "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";\n')
        self.inside("apt-get -q update")

    def inside(self, command, ok=True):
        return run("chroot", self.root, "/bin/sh", "-ec", f"cd {self.tree} 2>/dev/null || cd /; {command}", ok=ok,
                   env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                        "LC_ALL": "C.UTF-8", "HOME": "/root"}).stdout

    def follow(self, name):
        self.followed.add(name)
        self.calls()
        return self.inside(self.blocks[name])

    def calls(self):
        """What systemctl was asked for since this was asked last; no stop ended badly."""
        base = os.path.join(self.root, "run/standin")
        assert not os.path.exists(os.path.join(base, "failed")), open(os.path.join(base, "failed"), encoding="utf-8").read()
        path = os.path.join(base, "calls")
        text = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        if text:
            os.unlink(path)
        return text

    def status(self):
        return json.loads(self.inside("tickbusctl status --json"))

    def feed(self, n):
        """So many trades, a second apart, of which the newest is now."""
        first = int(time.time()) - n
        lines = "\n".join(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(first + i)), "symbol": "AAPL", "price": 100 + (self.ticks + i) % 7})
                          for i in range(n))
        with open(os.path.join(self.root, "srv/ticks.jsonl"), "w", encoding="utf-8") as f:
            f.write(lines + "\n")
        self.inside("tickbusctl feed /srv/ticks.jsonl --quiet --settle 0s")
        self.ticks += n

    def in_log(self):
        """Ticks of AAPL in the log, as a subscriber gets them."""
        return len(self.inside("tickbusctl log range 1 1000000 --json | grep -o AAPL || true").splitlines())

    def process(self):
        """(user, its groups' number, command line) of the daemon."""
        pid = self.inside("cat /run/standin/tickbusd.pid").strip()
        out = self.inside(f"stat -c %U:%G /proc/{pid}; tr '\\0' ' ' </proc/{pid}/cmdline; echo; grep -E '^(NoNewPrivs|CapEff)' /proc/{pid}/status")
        return out.splitlines()

    def close(self):
        proc = os.path.join(self.root, "proc")
        if os.path.ismount(proc):
            subprocess.run(["umount", proc], check=False)
        if os.path.ismount(proc):  # a mount is not to be removed with its folder; the namespace's end takes it
            print(f"# {proc} is busy: {self.dir} stays", flush=True)
            return
        shutil.rmtree(self.dir, ignore_errors=True)


@test
def packages_are_built_and_hold_what_they_should(w):
    w.debs = w.build()
    for name, files in PACKAGES.items():
        deb = glob.glob(os.path.join(w.debs, f"{name}_*.deb"))
        assert len(deb) == 1, (name, os.listdir(w.debs))
        text = run("dpkg", "-c", deb[0]).stdout
        for f in files:
            assert re.search(r" \." + re.escape(f).replace(r"\*", "[^/]+") + r"( |$)", text, re.M), (name, f, text)
    conffiles = run("dpkg", "-I", glob.glob(os.path.join(w.debs, "tickbus_*.deb"))[0], "conffiles").stdout
    assert "/etc/tickbusd/tickbusd.yaml" in conffiles


@test
def lintian_finds_nothing(w):
    done = run("lintian", "--fail-on", "error,warning", "--allow-root", *glob.glob(os.path.join(w.debs, "*.deb")), ok=False)
    assert done.returncode == 0, done.stdout


@test
def it_is_installed_on_a_clean_system_and_runs(w):
    w.make_system()
    assert "tickbus" not in w.inside("cat /etc/passwd; dpkg -l")
    w.offer(w.debs)
    w.follow("install")
    calls = w.calls()
    assert re.search(r"^.*\bstart tickbusd\.service$", calls, re.M), calls
    w.inside("test -L /etc/systemd/system/multi-user.target.wants/tickbusd.service && python3 -c 'import tickbus'")
    modes = w.inside("stat -c '%n %U:%G %a' /var/lib/tickbus /run/tickbus /run/tickbus/admin.sock /etc/tickbusd/tickbusd.yaml "
                     "/var/lib/tickbus/tickbus.db")
    for want in ("/var/lib/tickbus tickbus:tickbus 700", "/run/tickbus tickbus:tickbus 750", "/run/tickbus/admin.sock tickbus:tickbus 600",
                 "/etc/tickbusd/tickbusd.yaml root:", "/var/lib/tickbus/tickbus.db tickbus:tickbus 600"):
        assert want in modes, (want, modes)
    owner, command, *rights = w.process()
    assert owner == "tickbus:tickbus" and command.startswith("/usr/sbin/tickbusd --config /etc/tickbusd/tickbusd.yaml"), (owner, command)
    assert [r.split()[1] for r in rights] == ["0000000000000000", "1"], rights
    assert w.inside("getent passwd tickbus").split(":")[6].strip().endswith("nologin")


@test
def one_looks_whether_it_is_there(w):
    said = w.follow("look")
    assert "active (running)" in said and "ready" in said, said
    w.feed(20)
    assert w.in_log() == w.ticks
    w.inside("tickbusctl doctor")


@test
def a_changed_configuration_is_checked_and_reloaded(w):
    w.inside("sed -i 's/level: info/level: debug/' /etc/tickbusd/tickbusd.yaml && grep -q 'level: debug' /etc/tickbusd/tickbusd.yaml")
    assert "good" in w.follow("reload")
    assert "level: debug" in w.inside("tickbusctl config")


@test
def a_backup_is_made_while_it_works(w):
    w.follow("backup")
    w.backed_up, w.epoch = w.ticks, w.status()["epoch"]
    assert w.inside("stat -c '%U %a' /srv/backup/2026-11-26").split() == ["root", "700"]
    w.inside("test -f /srv/backup/2026-11-26/manifest.json && ! find /srv/backup -type f -perm /077 | grep .")


@test
def an_upgrade_keeps_configuration_and_log(w):
    w.feed(10)
    w.offer(w.next_release())
    said = w.follow("upgrade")
    calls = w.calls()
    assert re.search(r"\b(restart|stop|start) tickbusd\.service$", calls, re.M), calls
    assert "equal" in said, said
    versions = w.inside("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' '*tickbus*'")
    assert sorted(versions.splitlines()) == sorted(f"{p} {NEXT} installed" for p in PACKAGES), versions
    assert "level: debug" in w.inside("tickbusctl config"), "the operator's configuration is not kept"
    assert w.in_log() == w.ticks and w.status()["epoch"] == w.epoch
    w.inside("tickbusctl doctor")


@test
def a_restored_backup_is_what_was_backed_up(w):
    w.feed(5)
    said = w.follow("restore")
    assert "equal" in said, said
    assert w.in_log() == w.backed_up, (w.in_log(), w.backed_up)
    assert w.status()["epoch"] > w.epoch, "a log that was put back goes on in the old epoch"
    assert w.inside("stat -c '%U %a' /var/lib/tickbus").split() == ["tickbus", "700"]
    w.inside("! find /var/lib/tickbus ! -user tickbus | grep .")
    w.feed(5)
    assert w.in_log() == w.backed_up + 5


@test
def it_is_removed_and_purged(w):
    w.follow("remove")
    calls = w.calls()
    assert re.search(r"\bstop tickbusd\.service$", calls, re.M), calls
    w.inside("test -e /etc/tickbusd/tickbusd.yaml && test ! -e /usr/sbin/tickbusd && test ! -e /run/standin/tickbusd.pid")
    assert "holds a log and stays" in w.follow("purge")
    w.inside("rm -rf /srv/backup /srv/release /srv/ticks.jsonl")
    left = w.inside("find / -xdev \\( -path /proc -o -path /run/standin -o -path /var/lib/tickbus -o -path /var/cache -o -path /var/log \\) "
                    "-prune -o -iname '*tickbus*' -print")
    assert left == "", left
    assert w.inside("test -f /var/lib/tickbus/tickbus.db; getent passwd tickbus"), "the log and its owner stay"


@test
def every_block_of_the_manual_was_followed(w):
    assert w.followed == set(w.blocks), (sorted(w.followed ^ set(w.blocks)))


def main():
    missing = [p for p in ("debootstrap", "lintian", "dpkg-buildpackage", "dh") if not shutil.which(p)]
    if os.geteuid() != 0 or missing:
        print(f"Bail out! {'root is needed' if not missing else 'tools/setup package: there is no ' + ', '.join(missing)}")
        return 1
    if os.environ.get("TICKBUS_PACKAGE_INSIDE") != "1":
        os.environ["TICKBUS_PACKAGE_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    w, failed = World(), 0
    print(f"1..{len(TESTS)}", flush=True)
    try:
        for i, step in enumerate(TESTS, 1):
            begin = time.monotonic()
            try:
                assert not failed, "what comes before it failed"
                step(w)
                print(f"ok {i} - {step.__name__} # {time.monotonic() - begin:.0f} s", flush=True)
            except Exception as e:
                failed += 1
                print(f"not ok {i} - {step.__name__}", flush=True)
                print(f"{step.__name__}: {type(e).__name__}: {str(e)[:4000]}", file=sys.stderr, flush=True)
    finally:
        w.close()
    print(f"# {len(TESTS) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
