"""A full desk: two strategies and a webhook in one process, with rules, limits and an emergency stop.

    tws sim
    tws run examples/12_full_desk.toml                            in another terminal
    python examples/12_full_desk.py buy GLD                       posts an alert to the desk
    tws status --state examples/state                             what is held, and how far each limit is
    tws kill --flatten --state examples/state --trader 7400-12    the emergency stop: FLAT, proven, or why not

A stop holds over restarts; only a named human ends it (`tws reset`). This program posts as a charting service
does. The token stands in the variable WEBHOOK_TOKEN, for both, or in a file .env beside the configuration: 16
signs or more, none of them blank.
"""

import json
import os
import sys
from datetime import UTC, datetime
from urllib.request import Request, urlopen

action, ticker = sys.argv[1:3]
alert = {"ticker": ticker, "action": action, "time": datetime.now(UTC).isoformat()}
request = Request(
    "http://127.0.0.1:8765/alert",
    json.dumps(alert).encode(),
    {"Content-Type": "application/json", "X-Webhook-Token": os.environ["WEBHOOK_TOKEN"]},
)
with urlopen(request) as answer:  # 202: taken; what becomes of it, the gate says
    print(answer.status, answer.read().decode())
