#!/usr/bin/env python3
"""Who may include whom: folders by the layering, third-party headers by keeper.

usage: layers.py ROOT        prints one sentence per offence; exit 1 if any
       layers.py --self-test shows that the rules bite
"""
import pathlib
import re
import sys

# A folder may include itself and what is named here, nothing else.
MAY = {
    "base": set(),
    "proto": {"base"},
    "bus": {"base", "proto"},
    "store": {"base", "proto"},
    "feeds": {"base", "proto"},
    "client": {"base", "proto"},
    "archive": {"base", "proto"},
    "analysis": {"base", "proto"},
    "report": {"base", "proto", "analysis"},
    "workers": {"base", "proto", "bus", "store", "feeds", "analysis"},
    # feeds: `tickbusctl feed` reads files on the user's side.
    # analysis: what is said of indicators and computed of files, without a daemon.
    "cli": {"base", "proto", "client", "feeds", "analysis", "report"},
    "daemon": {"base", "proto", "bus", "store", "feeds", "workers", "analysis",
               # The frames of its pipe; files and DuckDB are the helper's alone.
               "archive"},
}

# A third-party header belongs to one unit, so that it can be replaced in one place.
# An entry that ends in "/" is a folder; one without a suffix is NAME.c and NAME.h.
VERSIONS = "daemon/libraries"  # asks each library for its version, and nothing else
KEEPERS = {
    r"uv\.h": ["daemon/"],
    r"nng/.*": ["daemon/serve_*", "daemon/guard", "client/python/sample_pub", VERSIONS],
    r"microhttpd\.h": ["daemon/serve_http*", VERSIONS],
    r"sqlite3\.h": ["store/sqlite*", VERSIONS],
    r"duckdb\.h": ["archive/duck*"],
    r"curl/.*": ["feeds/http", VERSIONS],
    r"libwebsockets\.h": ["feeds/ws", VERSIONS],
    r"yaml\.h": ["daemon/config*", VERSIONS],
    r"cjson/.*": ["base/json", VERSIONS],
    r"zlib\.h": ["feeds/", VERSIONS],
    r"zstd\.h": ["feeds/zst", "store/histchunk", "archive/pastfile", VERSIONS],
    r"expat\.h": ["feeds/rss", VERSIONS],
    r"nats/.*": ["daemon/bridge_nats"],
    r"systemd/.*": ["daemon/notify"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def is_keeper(path, keepers):
    for keeper in keepers:
        if keeper.endswith("/"):
            if path.as_posix().startswith(keeper):
                return True
        elif path.with_suffix("").match(keeper):
            return True
    return False


def is_test(path):
    return path.stem.endswith("_test") or path.parts[0] == "tests"


def check(path, text):
    folder = path.parts[0]
    for match in INCLUDE.finditer(text):
        quote, name = match.groups()
        target = name.split("/")[0]
        # A .inc is made by the build and lies in no folder of the source.
        if quote == '"' and "/" not in name and folder != "tests" and not name.endswith(".inc"):
            yield f'{path}: includes "{name}" without its folder'
        if target == "tests" and not is_test(path):
            yield f"{path}: {folder}/ may not include {name}"
        if target in MAY and folder in MAY and target != folder:
            if target not in MAY[folder]:
                yield f"{path}: {folder}/ may not include {name}"
        for pattern, keepers in KEEPERS.items():
            if re.fullmatch(pattern, name) and not is_test(path):
                if not is_keeper(path, keepers):
                    yield f"{path}: {name} is kept by {' and '.join(keepers)}"


def self_test():
    bad = {"bus/ring.c": ["workers/bars.h", "store/log.h", "tests/fake.h", "<sqlite3.h>"],
           "base/err.c": ["proto/event.h", "<cjson/cJSON.h>", "log.h"],
           "client/sub.c": ["bus/ring.h"], "daemon/daemon.c": ["<microhttpd.h>"]}
    good = {"workers/shard.c": ["bus/ring.h", "base/buf.h", "<stdio.h>"],
            "base/json.c": ["<cjson/cJSON.h>"], "daemon/serve_http.c": ["<microhttpd.h>"],
            "bus/ring_test.c": ["tests/fake.h"], "store/sqlite.h": ["<sqlite3.h>"]}
    wrong = []
    for table, expected in ((bad, True), (good, False)):
        for path, names in table.items():
            for name in names:
                line = f"#include {name}" if name[0] == "<" else f'#include "{name}"'
                if bool(list(check(pathlib.Path(path), line))) != expected:
                    wrong.append(f"self-test: {path} with {line}")
    print("\n".join(wrong))
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    root = pathlib.Path(sys.argv[1])
    files = [p for folder in [*MAY, "tests"] for p in sorted((root / folder).rglob("*"))
             if p.suffix in (".c", ".h", ".def") and p.is_file()]
    if not files:
        sys.exit(f"{root}: no source file was found")
    offences = [o for p in files
                for o in check(p.relative_to(root), p.read_text(encoding="utf-8"))]
    print("\n".join(offences + [f"{len(files)} files, {len(offences)} offences"]))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
