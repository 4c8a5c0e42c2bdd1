"""What stands on the wire: one layout for each message and direction.

`REQUESTS` is what a client sends, `ANSWERS` what a server sends. To add a message: a struct in
`tws.wire.messages`, a layout here; the tests of the codec take it up by themselves.
"""

from __future__ import annotations

from tws.wire.layout import Layout
from tws.wire.layouts import (
    account,
    contract,
    history,
    link,
    market,
    reference,
    settings,
    subscribed,
    trading,
)

__all__ = ["ANSWERS", "REQUESTS"]

_MODULES = (link, market, trading, contract, history, account, reference, subscribed, settings)

REQUESTS: tuple[Layout, ...] = tuple(layout for module in _MODULES for layout in module.REQUESTS)
ANSWERS: tuple[Layout, ...] = tuple(layout for module in _MODULES for layout in module.ANSWERS)
