#!/usr/bin/env python3
"""sentiment_judge - headlines scored by tickbusctl, judged by others.

usage: sentiment_judge.py TICKBUSCTL HEADLINES.tsv NEWS.csv.gz

finance: a list of labelled headlines of our own; precision and recall of each label
must not fall below a floor, with VADER's lexicon where it is installed and without.
vader: every title of NEWS.csv.gz, and headlines made of words that the rules are about,
against the npm package itself, run by node, to the last of its decimals.  What is absent
is said and not tested (tools/setup-news; node; the file).
"""
import csv
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

FLOOR = 0.85
SEED = 20261126
WORDS = """good GOOD bad great terrible not NOT never so this very VERY extremely least at
 kind of sort but BUT no nor or without doubt isn't ISN'T shares plunge the bomb kiss death
 yeah right hand to mouth :) :( :D smile, "love" (hate) hope! why? ... x I don't cannot
 barely most wins win-win loses -- 5% $3 uh-uh just enough the shit bad ass \u00a0 \u2013 \u201cgood\u201d
 caf\u00e9 na\u00efve constructor toString""".split()


def package():
    data = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share"
    return pathlib.Path(data) / "tickbus/vader-1.1.3"


def score(exe, lines, *options):
    env = dict(os.environ)
    out = subprocess.run([exe, "sentiment", "--json", *options, "-"], env=env, check=True,
                         input="".join(line + "\n" for line in lines).encode(),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


def rates(labelled, scored):
    """Precision and recall per label, and what was heard wrongly."""
    result, wrong = {}, []
    for label in ("positive", "negative", "neutral"):
        said = [w for (w, _), s in zip(labelled, scored) if s["label"] == label]
        are = [s["label"] for (w, _), s in zip(labelled, scored) if w == label]
        result[label] = (said.count(label) / max(len(said), 1), are.count(label) / len(are))
    for (label, text), s in zip(labelled, scored):
        if s["label"] != label:
            wrong.append(f"    {label} heard as {s['label']} {s['compound']:+.4f}: {text}")
    return result, wrong


def judge_finance(exe, path):
    rows = path.read_text(encoding="utf-8").splitlines()
    labelled = [tuple(row.split("\t", 1)) for row in rows]
    failures = []
    assert len(labelled) >= 120
    with_vader = (package() / "vader_lexicon.txt").exists()
    if not with_vader:
        print("finance: VADER's lexicon is not installed: our own words alone are judged")
    variants = [("alone", ["--vader", os.devnull])]
    if with_vader:
        variants.append(("with VADER's lexicon", []))
    for name, options in variants:
        result, wrong = rates(labelled, score(exe, [text for _, text in labelled], *options))
        print(f"finance, {name}: {len(labelled)} headlines, {len(wrong)} wrong")
        for label, (precision, recall) in result.items():
            print(f"  {label}: precision {precision:.3f} recall {recall:.3f}")
            if min(precision, recall) < FLOOR:
                failures.append(f"finance, {name}, {label}: below {FLOOR}")
        print("\n".join(wrong))
    return failures


def titles(path):
    if not path.exists():
        print(f"vader: {path.name} is absent: made headlines alone are judged")
        return []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        found = [row["title"] for row in csv.DictReader(f) if row["title"]]
    # A line each for both sides: a break inside a title is white space like another.
    return [" ".join(t.splitlines()) for t in found]


def made():
    rng = random.Random(SEED)
    print(f"# made headlines: seed {SEED}")
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 14))) + rng.choice(["", "!", "??", "!!!!!", "?!?"])
            for _ in range(4000)]


JUDGE = """
const v = require(process.argv[1]).SentimentIntensityAnalyzer;
const lines = require('fs').readFileSync(0, 'utf8').split('\\n');
lines.pop();
for (const line of lines) console.log(JSON.stringify(v.polarity_scores(line)));
"""


def npm(texts):
    """What the npm package says of lines."""
    out = subprocess.run(["node", "-e", JUDGE, str(package())], check=True, input="".join(t + "\n" for t in texts).encode(),
                         stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.decode().splitlines()]


def judge_vader(exe, path):
    if not (package() / "vader_lexicon.txt").exists() or not shutil.which("node"):
        print("vader: the npm package or node is absent (tools/setup-news): not judged")
        return []
    texts = titles(path) + made()
    judged = npm(texts)
    failures = []
    ours = score(exe, texts, "--flavour", "vader")
    assert len(judged) == len(ours) == len(texts)
    for text, theirs, our in zip(texts, judged, ours):
        if any(theirs[k] != our[k] for k in ("compound", "pos", "neu", "neg")):
            failures.append(f"vader: {text!r}: npm {theirs}, ours "
                            f"{ {k: our[k] for k in ('compound', 'pos', 'neu', 'neg')} }")
    python = score(exe, texts, "--flavour", "vader-py")
    differ = sum(a["compound"] != b["compound"] for a, b in zip(ours, python))
    print(f"vader: {len(texts)} headlines, {len(failures)} differ from the npm package; "
          f"vader-py differs from it in {differ}")
    return failures


def main():
    exe, headlines, news = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    failures = judge_finance(exe, headlines) + judge_vader(exe, news)
    print("\n".join(failures[:20]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
