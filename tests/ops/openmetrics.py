"""A strict reader of OpenMetrics 1.0 text, after its specification: what it does not like raises ValueError."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = r'\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,(?=[a-zA-Z_]))?)*)\}'
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|Inf)|NaN"
SAMPLE = re.compile(rf"({NAME})(?:{LABELS})? ({NUMBER})(?: (-?[0-9.]+))?(?: # {LABELS} ({NUMBER})(?: ([0-9.]+))?)?")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
TYPES = {"counter", "gauge", "histogram", "gaugehistogram", "stateset", "info", "summary", "unknown"}
SUFFIXES = {"counter": {"_total", "_created"}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count", "_created"}}


class Family:
    def __init__(self, name):
        self.name, self.type, self.help = name, None, None
        self.samples = []  # (name, labels, value, exemplar or None)


def must(condition, line, why):
    if not condition:
        raise ValueError(f"{why}: {line!r}")


def labels_of(text, line):
    pairs = LABEL.findall(text or "")
    must(len({k for k, _ in pairs}) == len(pairs), line, "a label twice")
    return dict(pairs)


def read_sample(line):
    m = SAMPLE.fullmatch(line)
    must(m, line, "no sample")
    name, labels, value, stamp, ex_labels, ex_value, ex_time = m.groups()
    must(stamp is None, line, "a timestamp")
    exemplar = None
    if ex_value is not None:
        exemplar = (labels_of(ex_labels, line), float(ex_value), None if ex_time is None else float(ex_time))
        must(sum(len(k) + len(v) for k, v in exemplar[0].items()) <= 128, line, "an exemplar's labels are too long")
    return name, labels_of(labels, line), float(value), exemplar


def check_histogram(family):
    groups = {}
    for name, labels, value, exemplar in family.samples:
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        groups.setdefault(key, []).append((name[len(family.name):], labels.get("le"), value, exemplar))
    for key, rows in groups.items():
        buckets = [(float(le), v, e) for suffix, le, v, e in rows if suffix == "_bucket"]
        sums = {suffix: v for suffix, _, v, _ in rows if suffix != "_bucket"}
        must(buckets and buckets[-1][0] == math.inf, key, "no bucket without an end")
        must(sorted(b[0] for b in buckets) == [b[0] for b in buckets], key, "buckets out of order")
        must(len({b[0] for b in buckets}) == len(buckets), key, "a bucket twice")
        must(all(a[1] <= b[1] for a, b in zip(buckets, buckets[1:])), key, "buckets that fall")
        must(sums.get("_count") == buckets[-1][1] and "_sum" in sums, key, "count or sum is wrong")
        low, before = -math.inf, 0
        for le, value, exemplar in buckets:
            if exemplar is not None:
                must(low < exemplar[1] <= le, exemplar, "an exemplar outside of its bucket")
                must(value > before, exemplar, "an exemplar in an empty bucket")
            low, before = le, value


def parse(text):
    """{name: Family}, in the page's order."""
    must(text.endswith("# EOF\n"), text[-40:], "no EOF")
    families, current, seen = {}, None, set()
    for line in text[:-len("# EOF\n")].split("\n")[:-1]:
        must(line and line != "# EOF", line, "an empty line, or an early end")
        if line.startswith("#"):
            m = re.fullmatch(rf"# (HELP|TYPE|UNIT) ({NAME}) (.*)", line)
            must(m, line, "no metadata")
            what, name, rest = m.groups()
            if current is None or current.name != name:
                must(name not in families, line, "a family twice, or in two pieces")
                current = families[name] = Family(name)
            must(not current.samples, line, "metadata behind samples")
            if what == "TYPE":
                must(current.type is None and rest in TYPES, line, "no such type, or twice")
                current.type = rest
                must(rest != "counter" or not name.endswith("_total"), line, "a counter's family ends with _total")
            elif what == "HELP":
                must(current.help is None, line, "help twice")
                must(re.fullmatch(r'(?:[^\\]|\\[\\"n])*', rest), line, "an escape")
                current.help = rest
            continue
        name, labels, value, exemplar = read_sample(line)
        must(current is not None and current.type in SUFFIXES, line, "no family of a known type")
        suffix = name[len(current.name):] if name.startswith(current.name) else None
        must(suffix in SUFFIXES[current.type], line, f"not of {current.type} {current.name}")
        key = (name, tuple(sorted(labels.items())))
        must(key not in seen, line, "a sample twice")
        seen.add(key)
        must(current.type != "counter" or value >= 0, line, "a counter below 0")
        must((suffix == "_bucket") == ("le" in labels), line, "le")
        must(exemplar is None or suffix in ("_bucket", "_total"), line, "an exemplar where none may be")
        current.samples.append((name, labels, value, exemplar))
    names = set(families)
    for family in families.values():
        must(family.type, family.name, "no type")
        for suffix in SUFFIXES[family.type] - {""}:
            must(family.name + suffix not in names, family.name + suffix, "two families clash")
        if family.type == "histogram":
            check_histogram(family)
    return families
