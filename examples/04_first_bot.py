"""A first bot: signals from a file, traded as the configuration says that `tws init` writes.

    tws sim
    python examples/04_first_bot.py BUY SPY           writes one signal
    tws run examples/04_first_bot.toml --for 60s      trades it, and all that come while it runs

Any program in any language that can write a line can give signals; this one asks for no more than Python.
Say SELL SPY while it runs, and the position is closed.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

wish, symbol = sys.argv[1:3]
now = datetime.now(UTC).isoformat()
signal = {
    "id": f"{symbol}-{now}",  # a signal acts once: the same id a second time is refused as a duplicate
    "symbol": symbol,
    "wish": wish,  # BUY and SHORT enter, SELL closes what is held
    "confidence": 0.8,
    "time": now,  # with its zone, since an old signal is refused, too
}
with Path(__file__).with_name("04_signals.jsonl").open("a", encoding="utf-8") as file:
    file.write(json.dumps(signal) + "\n")
print(wish, symbol, "written to", file.name)
