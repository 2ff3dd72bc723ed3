#!/usr/bin/env python3
"""The Debian packages: package_test.py SOURCE_DIR [CHROOT]

Builds them from a copy of the tree with dpkg-buildpackage, looks at what is in them (with lintian where it is here), and,
as root with debootstrap, follows the manual in a system of its own: install, run, take a tick, back up, restore, upgrade,
remove, purge; then nothing of them is left but the log.  CHROOT: a system that was made before is used and kept.
For tools/campaign: it takes minutes and a mirror.  Prints TAP.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(sys.argv[1])
CHROOT = sys.argv[2] if len(sys.argv) > 2 else ""
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


def run(*args, ok=True, **more):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    assert not ok or done.returncode == 0, f"{' '.join(args)}: {done.returncode}\n{done.stdout[-3000:]}"
    return done


class World:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tickbus-package-")
        self.root = CHROOT or os.path.join(self.dir, "root")

    def build(self):
        """The packages of a copy of the tree, in a folder."""
        folder = os.path.join(self.dir, "built")
        tree = os.path.join(folder, "tickbus")
        os.makedirs(tree)
        files = run("git", "ls-files", "-coz", "--exclude-standard", cwd=SOURCE).stdout.split("\0")
        for f in filter(None, files):
            os.makedirs(os.path.dirname(os.path.join(tree, f)), exist_ok=True)
            shutil.copy2(os.path.join(SOURCE, f), os.path.join(tree, f), follow_symlinks=False)
        run("nice", "dpkg-buildpackage", "-us", "-uc", "-b", cwd=tree,
            env={**os.environ, "DEB_BUILD_OPTIONS": "parallel=2 noautodbgsym"})
        shutil.rmtree(tree)
        return folder

    def next_release(self, version):
        """The same packages under a higher version."""
        folder = os.path.join(self.dir, "next")
        os.mkdir(folder)
        for deb in glob.glob(os.path.join(self.debs, "*.deb")):
            tree = os.path.join(folder, "tree")
            run("dpkg-deb", "-R", deb, tree)
            path = os.path.join(tree, "DEBIAN", "control")
            with open(path, encoding="utf-8") as f:
                text = f.read()
            with open(path, "w", encoding="utf-8") as f:
                f.write(re.sub(r"^Version: .*$", f"Version: {version}", text, flags=re.M)
                        .replace("(= 0.1.0)", f"(= {version})"))
            run("dpkg-deb", "-b", tree, os.path.join(folder, os.path.basename(deb)))
            shutil.rmtree(tree)
        return folder

    def inside(self, command, ok=True):
        return run("chroot", self.root, "/bin/sh", "-c", command, ok=ok,
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})

    def install(self, folder):
        shutil.rmtree(os.path.join(self.root, "debs"), ignore_errors=True)
        os.mkdir(os.path.join(self.root, "debs"))
        for deb in glob.glob(os.path.join(folder, "*.deb")):
            shutil.copy(deb, os.path.join(self.root, "debs"))
        self.inside("apt-get -q update && apt-get -q install -y --no-install-recommends "
                    "-o Dpkg::Options::=--force-confold /debs/*.deb")

    def files(self):
        out = self.inside("find / -xdev \\( -path /proc -o -path /sys -o -path /debs -o -path /var/cache -o -path /var/lib/apt "
                          "-o -path /var/lib/dpkg -o -path /var/log -o -path /tmp \\) -prune -o -print").stdout
        return set(out.split("\n"))

    def close(self):
        for place in ("proc", "dev"):
            subprocess.run(["umount", "-l", os.path.join(self.root, place)], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)


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
    if shutil.which("lintian"):
        done = run("lintian", "--fail-on", "error,warning", "--allow-root", *glob.glob(os.path.join(w.debs, "*.deb")), ok=False)
        assert done.returncode == 0, done.stdout
    else:
        print("# lintian is not here")


def start(w):
    """tickbusd as the unit starts it, but for systemd's confinement: there is none in a chroot."""
    daemon = subprocess.Popen(["chroot", "--userspec=tickbus:tickbus", w.root, "/usr/sbin/tickbusd", "--config",
                               "/etc/tickbusd/tickbusd.yaml"], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while w.inside("tickbusctl status", ok=False).returncode != 0:
        assert daemon.poll() is None, daemon.stderr.read()
        assert time.monotonic() < end, "tickbusd does not become ready"
        time.sleep(0.1)
    return daemon


def stop(daemon):
    daemon.terminate()
    assert daemon.wait(40) == 0, daemon.stderr.read()


def feed(w, first, n):
    lines = "\\n".join(f'{{\\"time\\":\\"$(date -u +%FT%TZ)\\",\\"symbol\\":\\"AAPL\\",\\"price\\":{100 + i}}}'
                       for i in range(first, first + n))
    return w.inside(f'printf "{lines}\\n" | tickbusctl feed - --format jsonl --quiet --settle 0s')


def the_manual_is_followed_in_a_system_of_its_own(w):
    if os.geteuid() != 0 or not (CHROOT or shutil.which("debootstrap")):
        print("# not root, or no debootstrap: nothing was installed")
        return
    if not os.path.exists(os.path.join(w.root, "usr/bin/apt-get")):
        sources = run("apt-cache", "policy").stdout
        mirror = re.search(r"(https?://\S+) bookworm/main", sources)
        run("debootstrap", "--variant=minbase", "bookworm", w.root, *([mirror[1]] if mirror else []))
    for place, kind in (("proc", ["-t", "proc", "proc"]), ("dev", ["--bind", "/dev"])):
        run("mount", *kind, os.path.join(w.root, place))
    # Dependencies first, so that what the packages themselves leave can be seen.
    w.inside("dpkg --purge --force-all tickbus libtickbus-dev python3-tickbus libtickbus0", ok=False)
    w.install(w.debs)
    w.inside("apt-get -q purge -y tickbus libtickbus0 libtickbus-dev python3-tickbus")
    w.inside("rm -rf /var/lib/tickbus /run/tickbus")
    before = w.files()

    w.install(w.debs)
    assert "tickbus:" in w.inside("getent passwd tickbus").stdout
    mode = w.inside("stat -c '%U %a' /var/lib/tickbus").stdout
    assert mode == "tickbus 700\n", mode
    assert w.inside("tickbusd --check-config /etc/tickbusd/tickbusd.yaml").stdout.endswith("good\n")
    w.inside("test -L /etc/systemd/system/multi-user.target.wants/tickbusd.service")
    w.inside("python3 -c 'import tickbus'")
    daemon = start(w)
    try:
        feed(w, 0, 5)
        doctor = w.inside("tickbusctl doctor", ok=False)
        assert doctor.returncode == 0, doctor.stdout
        w.inside("rm -rf /srv/backup && tickbusctl backup /srv/backup")
        feed(w, 5, 5)
    finally:
        stop(daemon)
    put = w.inside("tickbusctl restore /srv/backup --config /etc/tickbusd/tickbusd.yaml && chown -R tickbus: /var/lib/tickbus").stdout
    assert "LOST" in put, put
    daemon = start(w)
    assert "epoch" in w.inside("tickbusctl status").stdout
    stop(daemon)

    # An upgrade keeps what the operator changed, and the log.
    w.inside("sed -i 's/level: info/level: debug/' /etc/tickbusd/tickbusd.yaml")
    w.install(w.next_release("0.1.0+next1"))
    assert "0.1.0+next1" in w.inside("dpkg-query -W tickbus").stdout
    assert "level: debug" in w.inside("cat /etc/tickbusd/tickbusd.yaml").stdout
    daemon = start(w)
    assert w.inside("tickbusctl verify", ok=False).returncode == 0
    stop(daemon)

    w.inside("apt-get -q remove -y tickbus libtickbus0 libtickbus-dev python3-tickbus")
    w.inside("test -e /etc/tickbusd/tickbusd.yaml && test ! -e /usr/sbin/tickbusd")
    said = w.inside("apt-get -q purge -y tickbus").stdout
    assert "holds a log and stays" in said, said
    w.inside("rm -rf /srv/backup")
    left = {f for f in w.files() - before if not f.startswith("/var/lib/tickbus")}
    left -= {f for f in left if re.match(r"/(run|dev|etc/(passwd|group|shadow|gshadow)-?|root)\b", f)
             or "__pycache__" in f or f.startswith("/usr/lib/python3")}
    assert not left, sorted(left)[:20]


def main():
    tests, failed, w = [packages_are_built_and_hold_what_they_should, the_manual_is_followed_in_a_system_of_its_own], 0, World()
    print(f"1..{len(tests)}", flush=True)
    try:
        for i, test in enumerate(tests, 1):
            begin = time.monotonic()
            try:
                test(w)
                print(f"ok {i} - {test.__name__} # {time.monotonic() - begin:.0f} s", flush=True)
            except Exception as e:
                failed += 1
                print(f"not ok {i} - {test.__name__}", flush=True)
                print(f"{test.__name__}: {type(e).__name__}: {str(e)[:4000]}", file=sys.stderr, flush=True)
    finally:
        w.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
