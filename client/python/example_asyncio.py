#!/usr/bin/env python3
"""The newest price of every symbol, once a second, in an event loop: example_asyncio.py [SECONDS]"""
import asyncio
import os
import sys

import tickbus

PORT = int(os.environ.get("TICKBUS_PORT", 7400))


async def main(seconds=float("inf")):
    loop, newest, lost = asyncio.get_running_loop(), {}, []

    def look():
        while (item := sub.next(0)) is not None:
            if item.kind == "tick":
                newest[item.symbol] = item.price
            elif item.kind == "gap" and item.reason != "conflated":
                lost.append(item)

    with tickbus.Subscriber("tick", start="snapshot", policy="conflate", prices="float", port_base=PORT) as sub:
        loop.add_reader(sub.fileno(), look)
        while seconds > 0:
            await asyncio.sleep(1)
            seconds -= 1
            print(newest, *lost, flush=True)
        loop.remove_reader(sub.fileno())


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:])))
