"""TWS loses its server and comes back with 1101: every subscription is dead until it is made again."""

import asyncio
import sys
import time

from tws import TWSConfig, TWSConnection, stock


async def main():
    async with TWSConnection(TWSConfig(port=int(sys.argv[1]))) as connection:
        contract = stock("AAPL")
        quotes = connection.stream_quotes(contract)
        bars = connection.stream_bars(contract, "5 secs", duration="3600 S")
        live_bars = connection.stream_realtime_bars(contract)
        heard = {}
        for name, stream in (("quotes", quotes), ("bars", bars), ("live bars", live_bars)):
            stream.on_tick(lambda *_, name=name: heard.update({name: time.monotonic()}))
        await asyncio.sleep(20)  # 1100 comes after two seconds, 1101 after three
        flow = [name for name, moment in heard.items() if time.monotonic() - moment < 3]
        print("what flows:", ", ".join(sorted(flow)) or "nothing")


asyncio.run(main())
