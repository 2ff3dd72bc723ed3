#!/usr/bin/env python3
"""Is the program hardened as it was meant to be?  Reads the ELF file itself.

usage: elf.py PROGRAM        prints one sentence per fault; exit 1 if any
"""
import struct
import sys

ET_DYN, EM_X86_64 = 3, 62
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PT_GNU_STACK, PT_GNU_RELRO = 0x6474E551, 0x6474E552
PF_X, PF_W = 1, 2
DT_STRTAB, DT_SYMTAB, DT_STRSZ = 5, 6, 10
DT_RPATH, DT_TEXTREL, DT_BIND_NOW, DT_RUNPATH = 15, 22, 24, 29
DT_FLAGS, DT_FLAGS_1 = 30, 0x6FFFFFFB
DF_TEXTREL, DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 4, 8, 1, 0x08000000


class Elf:
    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not a 64-bit little-endian ELF file")
        self.data = data
        head = struct.unpack_from("<HHIQQQIHHHHHH", data, 16)
        self.type, self.machine = head[0], head[1]
        offset, size, count = head[4], head[8], head[9]
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, offset + i * size)
                         for i in range(count)]
        self.dynamic = {}
        for kind, _, at, _, _, length, _, _ in self.segments:
            if kind == PT_DYNAMIC:
                for tag, value in struct.iter_unpack("<qQ", data[at:at + length]):
                    if tag == 0:
                        break
                    self.dynamic[tag] = value

    def segment(self, kind):
        return next((s for s in self.segments if s[0] == kind), None)

    def strings(self):
        """The dynamic symbols' names, all of them."""
        address, size = self.dynamic.get(DT_STRTAB, 0), self.dynamic.get(DT_STRSZ, 0)
        for kind, _, at, vaddr, _, length, _, _ in self.segments:
            if kind == PT_LOAD and vaddr <= address < vaddr + length:
                at += address - vaddr
                return set(self.data[at:at + size].split(b"\0"))
        return set()


def faults(elf):
    flags = elf.dynamic.get(DT_FLAGS, 0)
    flags_1 = elf.dynamic.get(DT_FLAGS_1, 0)
    stack = elf.segment(PT_GNU_STACK)
    if elf.type != ET_DYN or not elf.segment(PT_INTERP) or not flags_1 & DF_1_PIE:
        yield "is not a position-independent executable"
    if not (flags & DF_BIND_NOW or flags_1 & DF_1_NOW or DT_BIND_NOW in elf.dynamic):
        yield "binds its symbols lazily (no BIND_NOW)"
    if not elf.segment(PT_GNU_RELRO):
        yield "has no RELRO segment"
    if stack is None or stack[1] & PF_X:
        yield "has an executable stack"
    if any(s[0] == PT_LOAD and s[1] & PF_X and s[1] & PF_W for s in elf.segments):
        yield "has a segment that is writable and executable"
    if DT_TEXTREL in elf.dynamic or flags & DF_TEXTREL:
        yield "relocates its code"
    if DT_RPATH in elf.dynamic or DT_RUNPATH in elf.dynamic:
        yield "has an RPATH: it takes libraries from a place of its own"
    if b"__stack_chk_fail" not in elf.strings():
        yield "has no stack protector"


def main():
    path = sys.argv[1]
    with open(path, "rb") as f:
        try:
            found = list(faults(Elf(f.read())))
        except (ValueError, struct.error) as e:
            found = [str(e)]
    for fault in found:
        print(f"{path}: {fault}")
    if not found:
        print(f"{path}: hardened as meant")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
