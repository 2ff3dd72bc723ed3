#!/usr/bin/env python3
"""Print the one-minute bars of some symbols, all that are held and then as they come: example_bars.py AAPL MSFT"""
import os
import sys

import tickbus

PORT = int(os.environ.get("TICKBUS_PORT", 7400))


def main(symbols):
    with tickbus.Subscriber("bar", symbols=symbols or None, timeframe="1m", start="oldest", port_base=PORT) as sub:
        for item in sub:
            if item.kind == "bar":
                print(item.time, item.symbol, item.open, item.high, item.low, item.close, item.volume, flush=True)
            elif item.kind == "live":
                print(f"that was history: {item.count} events up to position {item.pos}", file=sys.stderr, flush=True)
            else:  # a gap says exactly which events are lost, an epoch that the log lost its end
                print(item, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
