#!/usr/bin/env python3
"""Does docs/FAULTS.md answer for every fault, and does each test that it names exist?

usage: faults.py ROOT        prints one sentence per offence; exit 1 if any
       faults.py --self-test shows that the rules bite
"""
import pathlib
import re
import sys

# Groups A to G of the steering document.
NUMBERS = range(1, 79)
REASON_MIN = 30  # letters of a row that names no test
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.M)
NAMED = re.compile(r"`([\w/.]+\.(?:py|c))(?::(\w+))?`")


def find(root, name):
    """The text of a named file; without a folder it is one of tests/faults/."""
    path = root / (name if "/" in name else "tests/faults/" + name)
    return path.read_text(encoding="utf-8") if path.is_file() else None


def has_test(text, test):
    return re.search(rf"(def|static void) {test}\(", text) is not None


def check(page, read):
    rows = {int(n): where for n, _, where in ROW.findall(page)}
    for n in NUMBERS:
        if n not in rows:
            yield f"fault {n} has no row"
            continue
        names = NAMED.findall(rows[n])
        if not names and len(rows[n]) < REASON_MIN:
            yield f"fault {n} has neither a test nor a reason"
        for name, test in names:
            text = read(name)
            if text is None:
                yield f"fault {n}: there is no {name}"
            elif test and not has_test(text, test):
                yield f"fault {n}: {name} has no test {test}"
    for n in rows:
        if n not in NUMBERS:
            yield f"there is no fault {n} in these groups"


def self_test():
    files = {"a_test.py": "def it_works(d):\n"}
    good = "".join(f"| {n} | x | `a_test.py:it_works` |\n" for n in NUMBERS)
    bad = [good.replace("| 7 | x", "| 70000 | x"), good.replace("it_works", "it_breaks", 1),
           good.replace("a_test.py", "b_test.py", 1), good.replace("`a_test.py:it_works`", "because", 1)]
    wrong = [f"self-test: {o}" for o in check(good, files.get)]
    wrong += [f"self-test: case {i} was not caught" for i, page in enumerate(bad) if not list(check(page, files.get))]
    print("\n".join(wrong))
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    root = pathlib.Path(sys.argv[1])
    page = (root / "docs/FAULTS.md").read_text(encoding="utf-8")
    offences = list(check(page, lambda name: find(root, name)))
    print("\n".join(offences + [f"{len(NUMBERS)} faults, {len(offences)} offences"]))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
