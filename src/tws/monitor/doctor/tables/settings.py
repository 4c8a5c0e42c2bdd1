"""What TWS's own settings would do to a program; told by a TWS of server version 219 and up.

TWS-BEHAVIOUR.md H (defaults, precautions, sizes, restart, configuration by API). All are warnings: they may
be meant so.
"""

from __future__ import annotations

from tws.monitor.doctor.menus import LOCK_AND_EXIT, MESSAGES, PRECAUTIONS, SETTINGS
from tws.monitor.doctor.tables import Cause

__all__ = ["SETTINGS_SEEN"]

SETTINGS_SEEN = {
    "precautions_on": Cause(
        "order precautions hold for API orders too: an order that they doubt waits for a dialog, without a "
        "word to the program",
        f"If nobody sits before TWS: {PRECAUTIONS}: tick 'Bypass Order Precautions for API Orders'. The "
        "framework's own limits hold all the same",
        warns=True,
    ),
    "logs_off_daily": Cause(
        "TWS logs off at {time} and does not come back by itself",
        f"{LOCK_AND_EXIT}: choose 'Auto restart' for 'Auto log off'; the login then lasts until Sunday",
        warns=True,
    ),
    "sizes_in_lots": Cause(
        "TWS sends the sizes of US stocks in lots of a hundred, not in shares",
        f"{SETTINGS}: untick 'Send market data in lots for US stocks for dual-mode API clients'",
        warns=True,
    ),
    "orders_not_kept": Cause(
        "TWS does not resubmit orders when its link to IB comes back",
        f"{SETTINGS}: tick 'Maintain and resubmit orders when connection is restored'",
        warns=True,
    ),
    "open_orders_not_sent": Cause(
        "TWS does not send open orders when a program connects",
        f"{SETTINGS}: tick 'Download open orders on connection'. The framework asks for them anyway",
        warns=True,
    ),
    "size_dialog": Cause(
        "TWS still means to show its dialog '{title}', which keeps all market data back until it is "
        "confirmed",
        f"Confirm it once on the screen of TWS with 'do not show again', or {MESSAGES}: untick it",
        warns=True,
    ),
}
