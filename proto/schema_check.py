#!/usr/bin/env python3
"""Holds tickbus.xml, the C structs and the tables of docs/PROTOCOL.md together.

    schema_check.py tickbus.xml DUMP PROTOCOL.md    check (DUMP: the program schema_dump)
    schema_check.py tickbus.xml --tables            print the tables for the page

Every field must lie where the compiler puts it, fields must fill their block
without hole or overlap, enums must have the words that JSON prints.
"""
import subprocess
import sys
import xml.etree.ElementTree as ET

SIZES = {"char": 1, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "int64": 8, "double": 8}
SBE = "{http://fixprotocol.io/2016/sbe}"
BEGIN, END = "<!-- tables: made by proto/schema_check.py -->", "<!-- end of tables -->"


class Schema:
    def __init__(self, path):
        root = ET.parse(path).getroot()
        types = root.find("types")
        self.types = {name: (name, 1) for name in SIZES}
        self.enums = {}
        for t in types.findall("type"):
            self.types[t.get("name")] = (t.get("primitiveType"), int(t.get("length", "1")))
        for tag, member in (("enum", "validValue"), ("set", "choice")):
            for t in types.findall(tag):
                self.types[t.get("name")] = (t.get("encodingType"), 1)
                words = [(int(v.text), v.get("name")) for v in t.findall(member)]
                self.enums[t.get("name")] = (tag, words)
        self.blocks = []  # (name, id or None, length, [(field, type, offset, size, text)], group)
        for m in root.findall(SBE + "message"):
            self.add(m.get("name"), m, m.get("id"), None)
            for g in m.findall("group"):
                self.add(m.get("name") + "." + g.get("name"), g, None,
                         g.get("dimensionType", "groupSizeEncoding"))

    def add(self, name, element, template, group):
        fields = []
        for f in element.findall("field"):
            primitive, length = self.types[f.get("type")]
            fields.append((f.get("name"), f.get("type"), int(f.get("offset")),
                           SIZES[primitive] * length, f.get("description", "")))
        self.blocks.append((name, template, int(element.get("blockLength")), fields, group))

    def shape(self, type_name):
        primitive, length = self.types[type_name]
        text = primitive if length == 1 else "%s[%d]" % (primitive, length)
        if type_name in self.enums:
            text += " " + type_name
        return text + (", nullable" if type_name == "int64Null" else "")


def filled(schema):
    """Fields follow each other from 0 to the block's length."""
    for name, _, length, fields, _ in schema.blocks:
        at = 0
        for field, _, offset, size, _ in fields:
            if offset != at:
                yield "%s.%s lies at %d, not behind its neighbour at %d" % (name, field, offset, at)
            at = offset + size
        if at != length:
            yield "%s: fields fill %d bytes of %d" % (name, at, length)


def against_c(schema, dump):
    lines = subprocess.run([dump], check=True, capture_output=True, text=True).stdout.split("\n")
    c_blocks, c_fields, c_enums = {}, {}, {}
    for words in map(str.split, filter(None, lines)):
        if words[0] == "block":
            c_blocks[words[1]] = int(words[2])
        elif words[0] == "field":
            c_fields.setdefault(words[1], []).append((words[2], int(words[3]), int(words[4])))
        else:
            c_enums.setdefault(words[1], []).append((int(words[2]), words[3].upper()))
    special = {"Tier2Frame.triangle": 8, "CatchupPage.frames": 0}  # no struct in C
    for name, _, length, fields, _ in schema.blocks:
        if name in special:
            if length != special[name]:
                yield "%s has %d bytes" % (name, length)
            continue
        if c_blocks.pop(name, None) != length:
            yield "%s: another size in C" % name
        if c_fields.get(name) != [(f, o, s) for f, _, o, s, _ in fields]:
            yield "%s: in C %s" % (name, c_fields.get(name))
    for name in c_blocks:
        yield "%s is missing from the schema" % name
    for name, words in c_enums.items():
        known = [(i, "HEARTBEAT" if w == "HB" else w) for i, w in words]
        if schema.enums.get(name, (None, None))[1] != known:
            yield "%s: in C %s" % (name, known)


def tables(schema):
    out = [BEGIN, ""]
    for name, template, length, fields, group in schema.blocks:
        if template:
            out.append("#### %s (template %s), root block of %d bytes" % (name, template, length))
        else:
            out.append("Group `%s`, %d bytes each, header `%s`:" % (name.split(".")[1], length, group))
        out.append("")
        if name == "CatchupPage.frames":
            out += ["Each entry is a uint32 length and that many bytes: one frame without its topic.", ""]
            continue
        out += ["| offset | size | type | field | meaning |", "|---|---|---|---|---|"]
        for field, type_name, offset, size, text in fields:
            out.append("| %d | %d | %s | %s | %s |" % (offset, size, schema.shape(type_name), field, text))
        out.append("")
    out += ["#### Enumerations and sets", "", "| name | values |", "|---|---|"]
    for name, (tag, words) in schema.enums.items():
        out.append("| %s | %s |" % (name, ", ".join(
            "%s %s" % ("bit %d" % i if tag == "set" else i, w) for i, w in words)))
    return "\n".join(out + ["", END])


def against_page(schema, page):
    with open(page, encoding="utf-8") as f:
        text = f.read()
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or text[begin:end + len(END)] != tables(schema):
        yield "%s: its tables are not those of the schema (run with --tables)" % page


def main(argv):
    schema = Schema(argv[1])
    if argv[2] == "--tables":
        print(tables(schema))
        return 0
    wrong = list(filled(schema)) + list(against_c(schema, argv[2])) + list(against_page(schema, argv[3]))
    for line in wrong:
        print(line)
    print("%d blocks, %d fields, %d enums: %s" % (
        len(schema.blocks), sum(len(b[3]) for b in schema.blocks), len(schema.enums),
        "wrong" if wrong else "agree"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
