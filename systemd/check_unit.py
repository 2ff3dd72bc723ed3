"""check_unit - the unit is free of mistakes and keeps its exposure below the bound.

    check_unit.py UNIT TICKBUSD TICKBUSCTL

A copy of the unit that names the built programs goes through `systemd-analyze verify`
(a misspelt key is an error here) and `systemd-analyze security`.  A copy with a key
misspelt must fail, or the check itself is blind.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MAX = 1.3

unit, daemon, ctl = sys.argv[1:4]
if shutil.which("systemd-analyze") is None:
    print("check_unit: systemd-analyze is not installed: the unit was not checked")
    sys.exit(0)


def analyze(folder, text, *args):
    path = os.path.join(folder, "tickbusd.service")
    with open(path, "w") as f:
        f.write(text)
    run = subprocess.run(["systemd-analyze", *args, path], capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


with open(unit) as f:
    text = f.read()
text = re.sub(r"^ExecStart=\S+", "ExecStart=" + os.path.abspath(daemon), text, flags=re.M)
text = re.sub(r"^ExecReload=\S+", "ExecReload=" + os.path.abspath(ctl), text, flags=re.M)
assert os.path.abspath(daemon) in text and os.path.abspath(ctl) in text, "it starts something else"
# Manual pages are not installed where the tests run.
text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)

with tempfile.TemporaryDirectory() as folder:
    verify = ("verify", "--recursive-errors=yes", "--man=no")
    rc, out = analyze(folder, text, *verify)
    ours = [line for line in out.splitlines() if "tickbusd" in line]
    if rc != 0:
        print(out)
        sys.exit("check_unit: systemd-analyze verify complains")
    assert not ours, ours
    rc, _ = analyze(folder, text.replace("ProtectClock=", "ProtectClok="), *verify)
    if rc == 0:
        sys.exit("check_unit: a misspelt key went unnoticed: the check is blind")

    rc, out = analyze(folder, text, "security", "--offline=yes", "--no-pager")
    found = re.search(r"Overall exposure level for tickbusd\.service: ([0-9.]+)", out)
    if found is None:
        print(out)
        sys.exit("check_unit: systemd-analyze security says nothing")
    print("exposure", found.group(1))
    if float(found.group(1)) > EXPOSURE_MAX:
        print(out)
        sys.exit(f"check_unit: exposure above {EXPOSURE_MAX}")
