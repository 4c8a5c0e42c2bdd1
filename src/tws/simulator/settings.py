"""What a simulated TWS says of its own settings (ConfigResponse), beyond what its options already hold."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = ["ToldSettings"]


class ToldSettings(Struct, frozen=True, kw_only=True):
    """The defaults of a fresh TWS (TWS-BEHAVIOUR.md H), said when they are asked for. `exercise` alone acts.

    bypass_precautions  'Bypass Order Precautions for API Orders'
    keeps_orders        'Maintain and resubmit orders when connection is restored'
    sizes_in_lots       sizes of US stocks in lots
    logoff_time         time of day of the restart or log-off in the login's zone, and AM or PM
    auto_restart        the word is `restart` (recorded), else `logoff` (assumed)
    dialogs             titles of messages that would be shown
    exercise            what an exercise request is: `final`, carried out at once, or `editable` until the
                        clearing (the first word official, the other assumed)
    """

    bypass_precautions: bool = False
    keeps_orders: bool = True
    sizes_in_lots: bool = False
    logoff_time: str = "11:45 PM"
    auto_restart: bool = True
    dialogs: tuple[str, ...] = ()
    exercise: Literal["final", "editable"] = "final"
