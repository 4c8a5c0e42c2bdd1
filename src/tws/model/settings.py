"""TWS's own settings, as far as they matter to a program: told by a TWS of server version 219 and up, changed
by one of 221 and up.
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["MessageSetting", "SettingsChange", "SettingsOutcome", "SettingsWarning", "TWSSettings", "Verdict"]


class MessageSetting(Struct, frozen=True, kw_only=True):
    """A message that TWS would show on its screen, and whether it does."""

    id: int | None = None
    title: str = ""
    enabled: bool | None = None


class TWSSettings(Struct, frozen=True, kw_only=True):
    """As they stand. None and empty: TWS does not say. Source: TWS-BEHAVIOUR.md F7, H.

    read_only           the API takes no orders
    bypass_precautions  API orders pass TWS's order precautions without a dialog
    sends_open_orders   open orders are told to whoever connects
    keeps_orders        orders are maintained and resubmitted when the link to IB comes back
    sizes_in_lots       sizes of US stocks come in lots
    socket_port, localhost_only, trusted_ips, master_client_id   as on TWS's page of API settings
    auto_logoff         the time of day of its restart or log-off, such as "11:45 PM", in the login's zone
    auto_restart        True: it restarts then and comes back; False: it logs off
    dialogs             titles of the messages that TWS would show on its screen
    messages            all of its messages, those that are switched off included
    exercise_requests   whether an exercise is `final`, or another word
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
    messages: tuple[MessageSetting, ...] = ()
    exercise_requests: str = ""


class SettingsChange(Struct, frozen=True, kw_only=True):
    """What is to be changed; None and empty: as it stands. The words are those of `TWSSettings`.

    messages            by id: whether TWS shows it
    reset_order_ids     order ids of all clients begin anew
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
    messages: tuple[tuple[int, bool], ...] = ()
    exercise_requests: str = ""
    reset_order_ids: bool = False


class SettingsWarning(Struct, frozen=True, kw_only=True):
    """What TWS warns of before it makes a change; given back with the next call it is accepted."""

    id: int | None = None
    title: str = ""
    text: str = ""


class SettingsOutcome(Struct, frozen=True, kw_only=True):
    """What became of a change, in TWS's words.

    changed   the fields that are different now
    errors    why it was not made
    warnings  what has to be accepted first
    """

    status: str = ""
    text: str = ""
    changed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[SettingsWarning, ...] = ()


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether TWS has verified this program, and its reason; None: it did not say."""

    verified: bool | None = None
    text: str = ""
