#!/usr/bin/env python3
"""tools/sbom: sbom_test.py SOURCE_DIR BUILD_DIR.  It names what the build made and every library that it loads."""
import json
import os
import re
import subprocess
import sys

SOURCE, BUILD = map(os.path.abspath, sys.argv[1:3])


def make():
    return subprocess.run([sys.executable, os.path.join(SOURCE, "tools/sbom"), "--build", BUILD], check=True,
                          stdout=subprocess.PIPE, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}).stdout


text = make()
assert text == make(), "two runs differ"
sbom = json.loads(text)
assert (sbom["bomFormat"], sbom["specVersion"], sbom["metadata"]["timestamp"]) == ("CycloneDX", "1.4", "2023-11-14T22:13:20Z")
parts = {c["bom-ref"]: c for c in sbom["components"]}
assert len(parts) == len(sbom["components"]), "a reference is there twice"
names = {c["name"] for c in parts.values()}
assert {"tickbusd", "tickbusctl"} <= names, names
for edge in sbom["dependencies"]:
    assert edge["ref"] == "tickbus" or edge["ref"] in parts, edge
    assert all(ref in parts for ref in edge["dependsOn"]), edge
daemon = next(e for e in sbom["dependencies"] if e["ref"] == "tickbus:tickbusd")
loaded = subprocess.run(["ldd", os.path.join(BUILD, "daemon/tickbusd")], stdout=subprocess.PIPE, text=True).stdout
wanted = len({line.split()[0] for line in loaded.splitlines() if "=> /" in line})
assert wanted > 10 and len(daemon["dependsOn"]) >= wanted * 2 // 3, (wanted, daemon)
if os.path.exists("/usr/bin/dpkg-query"):
    for name in ("libsqlite3-0", "libuv1", "libnng1", "libcurl4"):
        part = next(c for c in parts.values() if c["name"] == name)
        assert re.fullmatch(r"pkg:deb/debian/[\w.+-]+@[\w.+~%-]+\?arch=\w+", part["purl"]), part
        assert part["bom-ref"] in daemon["dependsOn"], name
print(f"{len(parts)} components")
