"""Causes that keep market data away. TWS-BEHAVIOUR.md A3 (10197), A8, B, H (the dialog about sizes).

They are failures for the symbols that `--symbols` names, and warnings for the one that is asked for unasked.
"""

from __future__ import annotations

from tws.monitor.doctor.menus import DATA_SUBSCRIPTIONS, MESSAGES
from tws.monitor.doctor.tables import Cause

__all__ = ["DATA"]

_SUBSCRIBE = (
    f"{DATA_SUBSCRIPTIONS}: subscribe to its exchange for this user, then restart TWS. A paper account has "
    "the live one's data only while it shares them (Client Portal: Settings > Paper Trading Account)"
)

DATA = {
    "data_not_subscribed": Cause(
        "{symbol}: live data are not subscribed (code {code}); {instead}",
        _SUBSCRIBE,
    ),
    "data_not_for_api": Cause(
        "{symbol}: the subscription does not cover the API (code {code}); {instead}",
        "{symbol}: add a subscription that covers the API. " + _SUBSCRIBE,
    ),
    "data_partly": Cause(
        "{symbol}: a part of its data is not subscribed (code {code}), only the free part comes",
        _SUBSCRIBE,
    ),
    "competing_session": Cause(
        "{symbol}: the same user is logged in elsewhere, which takes the market data (code {code})",
        "Log the other TWS, web or phone session out, or use a second user for the API: "
        "Client Portal: Settings > Users & Access Rights",
    ),
    "other_address": Cause(
        "{symbol}: another session of this user trades from a different address, which blocks history and "
        "tick-by-tick data (code {code})",
        "Log that session out, or use a second user for the API: Client Portal: Settings > Users & Access "
        "Rights",
    ),
    "data_lines_used": Cause(
        "{symbol}: all market data lines are taken (code {code}); windows of TWS and all programs share them",
        "Close charts and watchlists in TWS (Ctrl-Alt-= shows how many lines are taken), cancel "
        f"subscriptions, or buy a booster pack. {DATA_SUBSCRIPTIONS}",
    ),
    "symbol_unknown": Cause(
        "{symbol}: TWS finds no single contract by this name (code {code})",
        "Write stocks as SPY, currency pairs as EUR.USD; compare with the name that TWS itself shows",
    ),
    "data_silent": Cause(
        "{symbol}: asked for data, TWS sent neither a tick nor an error within {wait_s} s",
        "Look at the screen of TWS: a dialog 'Bid, Ask and Last Size Display Update' keeps all market data "
        f"back until it is confirmed ({MESSAGES}: it can be switched off). Else the instrument does not "
        "trade now, or its farm is down",
    ),
    "history_not_permitted": Cause(
        "{symbol}: no permission for its history (code {code})",
        _SUBSCRIBE,
    ),
    "history_paced": Cause(
        "{symbol}: too many historical requests lately (code {code})",
        "Wait ten minutes; let programs share what one has fetched",
    ),
    "data_refused": Cause(
        "{symbol}: TWS refuses it: {text} (code {code})",
        f"See what the code says in IB's list of API message codes; {DATA_SUBSCRIPTIONS} shows what is "
        "subscribed",
    ),
}
