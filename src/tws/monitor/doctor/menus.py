"""The menu paths that cures name, for TWS and for IB Gateway, in one place.

They rest on TWS-BEHAVIOUR.md A3, A5 and H and on IB's public user guide. In a classic TWS (not Mosaic) the
menu is "Edit" where the path begins with "File". That an IB Gateway has the pages Messages and Presets in all
its builds is not known (assumed), so there the path says so.
"""

from __future__ import annotations

__all__ = [
    "DATA_SUBSCRIPTIONS",
    "LOCK_AND_EXIT",
    "LOGIN_ZONE",
    "LOGS",
    "MEMORY",
    "MESSAGES",
    "PRECAUTIONS",
    "PRESETS",
    "SETTINGS",
]


def _path(page: str, doubt: str = "") -> str:
    return f"TWS: File > Global Configuration > {page} (IB Gateway: Configure > Settings > {page}{doubt})"


_DOUBT = ", where its build has that page"

SETTINGS = _path("API > Settings")
PRECAUTIONS = _path("API > Precautions")
LOCK_AND_EXIT = _path("Lock and Exit")
MEMORY = _path("General", _DOUBT)
MESSAGES = _path("Messages", _DOUBT)
PRESETS = _path("Presets", _DOUBT)
DATA_SUBSCRIPTIONS = "Client Portal, in a browser: Settings > Market Data Subscriptions"
LOGS = (
    "Its logs: Ctrl-Alt-U in TWS or IB Gateway shows the folder (C:\\Jts\\<user> as a rule), "
    "api.<client id>.<weekday>.log is that of a session"
)
LOGIN_ZONE = "the login screen of TWS or IB Gateway: More Options > Time Zone"
