"""The texts of a first configuration, in pieces: `<NAME>` is filled in by scaffold.py.

A line "# key = value" is a setting that may be uncommented as it stands; all other comments are prose.
"""

from __future__ import annotations

__all__ = [
    "CONNECTION_PAPER", "CONNECTION_SIMULATOR", "END", "ENV", "ENV_DEMO", "GITIGNORE", "HEAD", "RISK",
    "SOURCES", "TRADING",
]  # fmt: skip

HEAD = """\
# A trader's configuration. `tws check` says what is wrong in it, `tws run` trades by it.
# A line that begins with a setting behind the # may be uncommented as it stands; its value is an example.

[connection]
host = "127.0.0.1"
"""

CONNECTION_SIMULATOR = """\
# The simulator (tws sim). A real TWS listens on 7497 for paper trading, IB Gateway on 4002.
port = <PORT>
# Two programs that are connected at the same time have two ids.
client_id = 1

[state]
# Journal, safety file and the note by which commands find the trader: below this file. Delete the folder
# when you start a new simulator, whose account knows nothing of the old one. With a real TWS take this
# section out.
folder = "state"
"""

CONNECTION_PAPER = """\
# TWS in paper mode; IB Gateway: 4002.
port = <PORT>
# Two programs that are connected at the same time have two ids. 0 would take over manual orders.
client_id = 1
# The account, where the login has several.
# account_id = "DU1234567"

[paper]
# Without a subscription TWS gives delayed prices, on which entries are denied. This lets them pass, on paper.
# allow_delayed = true
"""

SOURCES = {
    "file": """
[signals]
# One signal a line, followed as the file grows:
#   {"id": "s-1", "symbol": "<FIRST>", "wish": "BUY", "confidence": 0.8, "time": "2026-11-27T14:30:00+00:00"}
# BUY and SHORT enter, SELL closes what is held.
kind = "file"
file = "signals.jsonl"
# An hour, so that the signals written with this file still count when you start. Real ones: 60.
max_age_s = 3600
""",
    "http": """
[[signals]]
# The API is asked for GET /prediction/latest?ticker=... in turn. Its address and its key are variables of the
# environment, or of the file .env beside this one (.env.example shows how).
kind = "http"
base_url_env = "API_BASE_URL"
key_env = "API_KEY"
per_minute = 30
# Ask only while the market is open.
# in_session = true
max_age_s = 60
""",
    "breakout": """
[[strategies]]
# The first close beyond the range of a session's first 15 minutes enters, each side once a session. A start
# later in the day waits for the next session.
kind = "breakout"
""",
}

TRADING = """\
symbols = <SYMBOLS>
# The money of one entry, in the contract's currency.
allocation = <MONEY>
# Instead of it (one of these alone): so many shares; so much of the equity lost when the stop fills; a yearly
# volatility of the position; a part of Kelly's fraction, the confidence being the chance to win.
# shares = 10
# risk_fraction = 0.01
# volatility_target = 0.1
# kelly_fraction = 0.25
# Every entry takes its stop and its target with it to the broker: as a part of its price ...
stop_fraction = <STOP>
target_fraction = <TARGET>
# ... or, with the two lines above taken out, in multiples of the ATR(14) of bars of so many seconds.
# stop_atr = 6
# target_atr = 3
# bar_seconds = 10
# What a signal for the other side does to a position: "reverse", "close" or "ignore".
# opposite = "close"
# A signal for the same side adds once a share has so much profit (unset: it is ignored).
# scale_in_profit = "1 atr"
# scale_in_times = 2
# Once an entry has filled, a limit of the same size waits half way to the stop.
# double_down = true
# The least confidence of a signal.
threshold = 0.5
# The pause after an entry in the same symbol; a stop-out ends it.
cooldown_s = 180
# No entry so late before the close of a session.
# close_margin_s = 300
"""

RISK = """
[risk]
# What no order and no strategy gets past. Each has a default; "off" switches one off.
allow = <ALLOW>
max_order_notional = <NOTIONAL>
# max_order_quantity = 1000
# max_position_notional = 50_000
# Losses since the day began, open ones included: then no entry leaves before you say so.
max_daily_loss = 1000
# An entry needs bid and ask no older than this.
# stale_quote_s = 5
# short_sales = false
"""

END = """
[run]
# "protected": positions stay, and their stops at the broker. "flatten": all that is ours is closed.
at_end = "<AT_END>"
# Close all that is ours before the close of each session.
# flatten_before_close_s = 60
"""

ENV_DEMO = """\
# The API of `tws api-demo`. Your own: its address and its key, which stand here and nowhere else.
API_BASE_URL=http://127.0.0.1:8700
API_KEY=demo
"""

ENV = """\
# Copy to .env and fill in. The name of a variable stands in tws.toml, its secret here and nowhere else.
# A polled prediction API (kind = "http"):
#API_BASE_URL=https://api.example.com
#API_KEY=
# A webhook (kind = "webhook"), 16 signs at least:
#WEBHOOK_TOKEN=
"""

GITIGNORE = """\
# Secrets
.env
# State of the trader: journal, safety file
state/
*.sqlite3*
"""
