#!/usr/bin/env python3
"""A file as the initialiser of a C array of char.

usage: embed.py FILE OUT
"""
import pathlib
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
rows = (", ".join(map(str, data[i:i + 20])) for i in range(0, len(data), 20))
pathlib.Path(sys.argv[2]).write_text(",\n".join(rows) + "\n", encoding="ascii")
