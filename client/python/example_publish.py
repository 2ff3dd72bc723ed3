#!/usr/bin/env python3
"""Publish trades from lines "SYMBOL PRICE SIZE" of standard input: example_publish.py PRODUCER [FIRST_SEQ]

A program that was stopped begins anew with the same PRODUCER and FIRST_SEQ: what had been taken is a duplicate.
"""
import os
import sys
import time

import tickbus

PORT = int(os.environ.get("TICKBUS_PORT", 7400))


def main(producer, first_seq=1):
    with tickbus.Publisher("example", producer, int(first_seq), port_base=PORT) as pub:
        for line in sys.stdin:
            symbol, price, size = line.split()
            pub.add(symbol, time.time_ns(), price=price, size=size)  # texts are converted exactly
            ack = pub.flush()  # or after many: a batch holds 8,192
            for seq, reason in ack.rejections:
                print(f"{seq} rejected: {reason}")
            if ack.accepted:
                print(f"{ack.first_seq} accepted at {ack.last_pos}" + (", on the disk" if ack.is_synced else ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
