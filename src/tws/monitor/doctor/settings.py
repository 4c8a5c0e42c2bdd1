"""What TWS tells of its own settings, from server version 219 on: precautions, restart, sizes, dialogs.

They are asked for and never changed. With the Read-Only API on TWS may refuse to tell them (TWS-BEHAVIOUR.md
H). No version tells the order presets.
"""

from __future__ import annotations

import asyncio

from tws.errors import RequestError, RequestTimeoutError
from tws.model.settings import TWSSettings
from tws.monitor.doctor.menus import PRESETS
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import Outcome, SettingsSeen
from tws.monitor.doctor.session import Session

__all__ = ["TELLS_FROM", "examine_settings"]

TELLS_FROM = 219
"""The server version from which a TWS answers the question (H)."""

_SIZE_DIALOG = "last size display"


async def examine_settings(session: Session, notes: Notes, timeout_s: float) -> None:
    """Ask, and note what may surprise a program."""
    version = session.server_version
    if version < TELLS_FROM:
        notes.step(
            "settings",
            Outcome.SKIPPED,
            f"a TWS tells them from version {TELLS_FROM} on, this session has {version}; look for yourself: "
            f"{PRESETS}",
        )
        return
    try:
        told = await asyncio.wait_for(session.request_settings(), timeout_s)
    except RequestError as wrong:
        notes.step("settings", Outcome.SKIPPED, f"TWS does not tell them (code {wrong.code}: {wrong.text})")
        return
    except (TimeoutError, RequestTimeoutError):
        notes.step("settings", Outcome.SKIPPED, "TWS does not tell them: no answer")
        return
    notes.settings = _seen(told, version)
    before = len(notes.warnings)
    _judge(told, notes)
    if len(notes.warnings) == before:
        notes.step("settings", Outcome.OK, f"as a program wants them; order presets are not told: {PRESETS}")


def _seen(told: TWSSettings, version: int) -> SettingsSeen:
    return SettingsSeen(
        server_version=version,
        read_only=told.read_only,
        bypass_precautions=told.bypass_precautions,
        localhost_only=told.localhost_only,
        trusted_ips=len(told.trusted_ips),
        master_client_id=told.master_client_id,
        auto_restart=told.auto_restart,
        auto_logoff_time=told.auto_logoff,
    )


def _judge(told: TWSSettings, notes: Notes) -> None:
    """`is False` and `is True`: what TWS leaves out it does not say."""
    if told.bypass_precautions is False:
        notes.found("precautions_on", "settings")
    if told.auto_restart is False and told.auto_logoff:
        notes.found("logs_off_daily", "settings", time=told.auto_logoff)
    if told.sizes_in_lots is True:
        notes.found("sizes_in_lots", "settings")
    if told.keeps_orders is False:
        notes.found("orders_not_kept", "settings")
    if told.sends_open_orders is False:
        notes.found("open_orders_not_sent", "settings")
    for title in told.dialogs:
        if _SIZE_DIALOG in title.lower():
            notes.found("size_dialog", "settings", title=title)
