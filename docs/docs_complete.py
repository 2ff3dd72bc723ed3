"""docs_complete - the pages name everything there is to name.

    docs_complete.py ROOT             check
    docs_complete.py ROOT --update    write the table of counters anew, then check

Keys of the configuration in tickbusd.yaml(5) with their defaults; options of tickbusd and
commands of tickbusctl in their pages; functions of libtickbus; exit codes, counters and
gauges in OPERATIONS.md.
"""
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])
missing = []


def read(name):
    return (ROOT / name).read_text()


def page(name):
    """A manual page without its macros' escapes."""
    return read("docs/man/" + name).replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")


def need(where, text, names, what):
    for name in names:
        if name not in text:
            missing.append(f"{where} does not name {what} {name}")


def yaml_keys(text):
    """Every key of the two upper levels with its default, as `section.key : value`."""
    section = ""
    for line in text.splitlines():
        top = re.match(r"(\w+):\s*([^#]*)", line)
        sub = re.match(r'  (\w+): ("[^"]*"|\[[^\]]*\]|[^#]*)', line)
        if top and top.group(2).strip():
            yield top.group(1), top.group(2).strip()
        elif top:
            section = top.group(1)
        elif sub:
            yield f"{section}.{sub.group(1)}", sub.group(2).strip().strip('"')


config = page("tickbusd.yaml.5")
keys = dict(yaml_keys(read("daemon/tickbusd.yaml")))
need("tickbusd.yaml.5", config, [f".It Ic {k} : Li {v}" for k, v in keys.items()], "key")
for key in re.findall(r"^\.It Ic ([a-z]\w*\.\w+) ", config, re.M):
    if key not in keys:
        missing.append(f"tickbusd.yaml.5 names the key {key}, which does not exist")
universe = re.search(r"universe_keys\[\] = \{(.*?)\n\};", read("daemon/config_table.c"), re.S)
need("tickbusd.yaml.5", config, re.findall(r'\{"(\w+)"', universe.group(1)), "universe key")

feed = re.search(r"keys\[\] = \{(.*?)\n\};", read("daemon/config_feeds.c"), re.S)
need("tickbusd.yaml.5", config, re.findall(r'\{"(\w+)"', feed.group(1)), "feed key")

options = re.findall(r'^\t+\{"([\w-]+)", (?:no|required)_argument', read("daemon/main.c"), re.M)
need("tickbusd.8", page("tickbusd.8"), [f"Fl -{o}" for o in options], "option")
commands = re.findall(r'^\t\{"(\w+)", ', read("cli/tickbusctl.c"), re.M)
need("tickbusctl.1", page("tickbusctl.1"), [f".It Ic {c}" for c in commands], "command")
for c_option in set(re.findall(r'"  (--[a-z-]+)', read("cli/tickbusctl.c"))):
    need("tickbusctl.1", page("tickbusctl.1"), [f"Fl {c_option[1:]}"], "option")

functions = re.findall(r"(tickbus_(?:sub|pub|admin)_\w+|tickbus_(?:ask|request|free|error))\(",
                       read("client/tickbus.h"))
lesser = {"tickbus_pub_next_seq", "tickbus_pub_producer"}
need("libtickbus.3", page("libtickbus.3"), sorted(set(functions) - lesser), "function")

need("README.md", read("README.md"), [read("client/example_sub.c"), read("client/example_pub.c")],
     "word for word")

def told(name):
    """metrics_text.c tells times in seconds."""
    return name.replace("_nanoseconds_total", "_seconds_total")


def counter_table():
    """bus/stats.def as a table, a family on one line."""
    families = {}
    for name, labels, kind, text in re.findall(
            r'^X\(\w+,\s*"(\w+)",\s*"((?:[^"\\]|\\.)*)",\s*(\w+),\s*"((?:[^"\\]|\\.)*)"\)',
            read("bus/stats.def"), re.M):
        family = families.setdefault(name, (kind.lower(), text, []))
        if labels:
            family[2].append(re.search(r'\\"(.*)\\"', labels).group(1))
    families["ticks_rejected_total"] = (
        "counter", "Ticks refused, by reason (the closed list in PROTOCOL.md)", [])
    lines = ["| metric | type | what it counts |", "|---|---|---|"]
    for name, (kind, text, labels) in families.items():
        by = f" ({', '.join(labels)})" if labels else ""
        name = told(name)
        lines.append(f"| `tickbus_{name}` | {kind} | {text}{by} |")
    return "\n".join(lines) + "\n"


operations = read("docs/OPERATIONS.md")
begin, end = operations.index("| metric | type | what it counts |"), operations.index("\n### Gauges")
if sys.argv[2:] == ["--update"]:
    operations = operations[:begin] + counter_table() + operations[end:]
    (ROOT / "docs/OPERATIONS.md").write_text(operations)
elif operations[begin:end] != counter_table():
    missing.append("OPERATIONS.md has an old table of counters: docs_complete.py ROOT --update")
codes = [int(c) for c in re.findall(r"EXITCODE_\w+ = (\d+)", read("daemon/exitcode.h"))]
for code in codes:
    if code and f"| {code} |" not in operations:
        missing.append(f"OPERATIONS.md does not name exit code {code}")
    if f".It {code}" not in page("tickbusd.8"):
        missing.append(f"tickbusd.8 does not name exit code {code}")
counters = re.findall(r'^X\(\w+,\s*"(\w+)"', read("bus/stats.def"), re.M)
need("OPERATIONS.md", operations, sorted({f"`tickbus_{told(n)}`" for n in counters}), "counter")
gauges = re.findall(r'(?:gauge|counter|metrics_family|per_worker)\((?:d, )?out, "(\w+)"',
                    read("daemon/metrics.c"))
gauges += re.findall(r'^#define FAMILY "(\w+)"', read("daemon/metrics_symbols.c"), re.M)
gauges += re.findall(r'^\t\{"(live_\w+)", "(?:gauge|counter)"', read("daemon/metrics.c"), re.M)
need("OPERATIONS.md", operations,
     sorted({f"`{n}`" if n.startswith("process_") else f"`tickbus_{n}`" for n in gauges}), "gauge")

for found, what in ((keys, "keys"), (options, "options"), (commands, "commands"),
                    (functions, "functions"), (codes, "exit codes"), (counters, "counters"),
                    (gauges, "gauges")):
    if not found:
        missing.append(f"docs_complete found no {what}: it reads the sources wrongly")
for line in missing:
    print(line)
print(f"{len(keys)} keys, {len(commands)} commands, {len(set(functions))} functions, "
      f"{len(set(counters))} counters, {len(set(gauges))} gauges; {len(missing)} missing")
sys.exit(1 if missing else 0)
