"""TWS's own settings, as far as they matter to a program; told by a TWS of server version 219 and up."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["TWSSettings"]


class TWSSettings(Struct, frozen=True, kw_only=True):
    """Read, never written. None and empty: TWS does not say. Source: TWS-BEHAVIOUR.md F7, H.

    read_only           the API takes no orders
    bypass_precautions  API orders pass TWS's order precautions without a dialog
    sends_open_orders   open orders are told to whoever connects
    keeps_orders        orders are maintained and resubmitted when the link to IB comes back
    sizes_in_lots       sizes of US stocks come in lots
    socket_port, localhost_only, trusted_ips, master_client_id   as on TWS's page of API settings
    auto_logoff         the time of day of its restart or log-off, such as "11:45 PM", in the login's zone
    auto_restart        True: it restarts then and comes back; False: it logs off
    dialogs             titles of the messages that TWS would show on its screen
    """

    read_only: bool | None = None
    bypass_precautions: bool | None = None
    sends_open_orders: bool | None = None
    keeps_orders: bool | None = None
    sizes_in_lots: bool | None = None
    socket_port: int | None = None
    localhost_only: bool | None = None
    trusted_ips: tuple[str, ...] = ()
    master_client_id: int | None = None
    auto_logoff: str = ""
    auto_restart: bool | None = None
    dialogs: tuple[str, ...] = ()
