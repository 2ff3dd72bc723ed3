#!/usr/bin/env python3
"""What may not stand in the source: calls, words, addresses, and too much of it.

usage: banned.py ROOT        prints one sentence per offence; exit 1 if any
       banned.py --self-test shows that every rule bites
"""
import pathlib
import re
import sys

FOLDERS = ["base", "proto", "bus", "store", "feeds", "analysis", "workers", "client", "cli",
           "daemon", "archive", "tests", "systemd", "share", "docs", "tools"]
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

# Calls, looked for in C with comments and strings taken out.
CALLS = {
    r"nng_msg_insert(_u16|_u32|_u64)?": "corrupts the heap before nng 1.9",
    r"v?sprintf": "has no bound; use snprintf or buf_printf",
    r"str(cpy|cat)": "has no bound",
    r"gets": "has no bound",
    r"alloca": "can overrun the stack",
    r"system|popen": "starts a shell",
    r"dlopen": "loads code at run time",
    r"setlocale": "changes how numbers are read and printed",
    r"strtok|localtime|gmtime|asctime|ctime": "is not thread-safe",
    r"cJSON_GetErrorPtr": "reads a global of another thread",
}
# Waiting a fixed time is no synchronisation.
PRODUCT_CALLS = {
    r"u?sleep|nanosleep|clock_nanosleep|nng_msleep|uv_sleep":
        "waits for time, not for the thing awaited",
}
# Texts of every file, C or not.  Spelled in pieces so that this file passes itself.
TEXTS = {
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b": "is a note to oneself",
    r"not " r"implemented": "says that something is missing",
    r"\bst" r"ubs?\b": "says that something is missing",
    r"place" r"holder": "says that something is missing",
    r"pypi\." r"org|files\.python" r"hosted\.org|npm" r"js\.(org|com)|crates" r"\.io"
    r"|deb\.deb" r"ian\.org|rubygems" r"\.org|proxy\.go" r"lang\.org":
        "names a package registry",
    r"(?<![\w.$}/])/(wo" r"rk|ro" r"ot|ho" r"me/\w+)/": "is a path of one machine",
}


def strip_c(text):
    """Blank out comments and literals, keeping every line break."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_calls(name, code, table):
    for pattern, why in table.items():
        for m in re.finditer(rf"(?<![\w.>])({pattern})\s*\(", code):
            yield f"{name}:{line_of(code, m.start())}: {m.group(1)}() {why}"


def check_functions(name, code):
    """A function's body opens and closes with a brace in column 0."""
    start = None
    for number, line in enumerate(code.split("\n"), 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield (f"{name}:{start}: a function of {number - start + 1} lines; "
                       f"at most {FUNCTION_LINES_MAX}")
            start = None


def check_texts(name, text):
    for pattern, why in TEXTS.items():
        for m in re.finditer(pattern, text, re.I if "not " in pattern else 0):
            yield f"{name}:{line_of(text, m.start())}: '{m.group(0)}' {why}"


def check(name, text):
    yield from check_texts(name, text)
    if not name.endswith((".c", ".h")):
        return
    code = strip_c(text)
    lines = text.count("\n")
    is_test = name.startswith("tests/") or name.endswith("_test.c")
    yield from check_calls(name, code, CALLS)
    if not is_test:
        yield from check_calls(name, code, PRODUCT_CALLS)
    yield from check_functions(name, code)
    if lines > FILE_LINES_MAX:
        yield f"{name}: {lines} lines; at most {FILE_LINES_MAX}"


def check_names(names):
    """A function's prefix is its file's name, so a name may occur once."""
    seen = {}
    for name in sorted(n for n in names if n.endswith(".c")):
        base = name.rsplit("/", 1)[-1]
        if base in seen:
            yield f"{name}: {seen[base]} has the same name"
        seen.setdefault(base, name)


def self_test():
    bad = {
        "a.c": ["\tnng_msg_" + "insert_u32(m, 1);", "\tspr" + "intf(b, s);",
                "\tstrc" + "py(a, b);", "\tx = al" + "loca(9);", "\tsys" + "tem(c);",
                "\tpo" + "pen(c, r);", "\tdlo" + "pen(c, 0);", "\tus" + "leep (1);",
                "\tsetloc" + "ale(LC_ALL, e);", "/* TO" + "DO later */",
                "/* a st" + "ub */", "{\n" + "\n" * 70 + "}", "\n" * 501],
        "a.md": ["see https://py" + "pi.org/x", "in /wo" + "rk/main"],
    }
    good = ["\tsnprintf(b, n, s);", "/* never sprintf(b) */", '\tputs("system(1)");',
            "\tp->system(1);", "{\n" + "\n" * 68 + "}", "\tmy_sleep(1);"]
    silent = [t for name, texts in bad.items() for t in texts if not list(check(name, t))]
    loud = [t for t in good if list(check("a.c", t))]
    if not list(check_names(["a/x.c", "b/x.c"])):
        silent.append("two files of one name")
    for text in silent:
        print(f"self-test: not caught: {text!r}")
    for text in loud:
        print(f"self-test: caught for nothing: {text!r}")
    return 1 if silent or loud else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    root = pathlib.Path(sys.argv[1])
    paths = [p for folder in FOLDERS for p in sorted((root / folder).rglob("*"))]
    paths += [p for p in root.iterdir() if not p.name.startswith(".git")]
    offences, names = [], []
    for path in paths:
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        name = path.relative_to(root).as_posix()
        if name.startswith("tests/fuzz/corpus/"):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        names.append(name)
        offences += check(name, text)
    if not names:
        sys.exit(f"{root}: no file was found")
    offences += check_names(names)
    print("\n".join(offences + [f"{len(names)} files, {len(offences)} offences"]))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
