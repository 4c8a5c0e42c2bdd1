"""Live is unlocked on evidence: each piece that is missing is named, and nothing else lets it through."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tws.clock import NS_PER_S, SystemClock
from tws.config import Settings, load_settings
from tws.errors import ConfigError
from tws.journal import SQLiteStore
from tws.model.records import LimitsChanged, encode_record
from tws.risk import Limits
from tws.runtime.evidence import (
    DRILL_DAYS,
    SESSIONS_WANTED,
    SessionLine,
    add_session,
    gather,
    note_drill,
)
from tws.runtime.fingerprint import code_fingerprint, settings_fingerprint
from tws.runtime.offline import unlock_offline
from tws.runtime.place import Place
from tws.runtime.unlocking import UnlockWish, why_locked
from tws.safety import SafetyFile

LIVE = "U7654321"
TEXT = """
    [connection]
    port = 4001
    account_id = "U7654321"
    trading_mode = "live"
    [risk]
    max_order_quantity = {quantity}
    allow = ["SPY"]
"""
NOW = SystemClock().now_ns()
WISH = UnlockWish(account=LIVE, operator="ann", seconds=3600)


def settings(tmp_path: Path, quantity: str = "100") -> Settings:
    path = tmp_path / "live.toml"
    path.write_text(TEXT.format(quantity=quantity), encoding="utf-8")
    return load_settings(path)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A live trader's place, beside that of the paper sessions."""
    for name in ("4001-1", "7497-1"):
        (tmp_path / "traders" / name).mkdir(parents=True)
    return Place(tmp_path / "traders" / "4001-1")


def trade_on_paper(place: Place, given: Settings, sessions: int = SESSIONS_WANTED, **changes: object) -> None:
    line = SessionLine(
        at_ns=NOW,
        account="DU1",
        code=code_fingerprint(),
        settings=settings_fingerprint(given),
        seconds=60.0,
        trades=1,
        reconciled=True,
    )
    paper = Place(place.folder.parent / "7497-1")
    for _ in range(sessions):
        add_session(paper, msgspec.structs.replace(line, **changes))


def test_all_the_evidence_unlocks_for_its_time_and_is_kept(place: Place, tmp_path: Path) -> None:
    given = settings(tmp_path)
    trade_on_paper(place, given)
    note_drill(place.folder.parent, True, NOW)
    unlock = unlock_offline(place, given, WISH, SystemClock())
    assert len(unlock.evidence) == 4
    with SafetyFile(place.safety) as safety:
        assert safety.state.unlocked(LIVE, unlock.at_ns) == unlock
        assert safety.state.unlocked(LIVE, unlock.at_ns + 3600 * NS_PER_S) is None
        assert safety.state.lease is None


def test_paper_and_live_differ_only_in_where_tws_listens(tmp_path: Path) -> None:
    live = settings(tmp_path)
    paper = Settings.model_validate({"risk": {"max_order_quantity": 100, "allow": ("SPY",)}})
    assert settings_fingerprint(live) == settings_fingerprint(paper)
    assert settings_fingerprint(settings(tmp_path, "101")) != settings_fingerprint(paper)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"account": LIVE}, False),
        ({"code": "another"}, False),
        ({"settings": "another"}, False),
        ({"reconciled": False}, False),
    ],
)
def test_which_sessions_count(place: Place, tmp_path: Path, changes: dict[str, object], counts: bool) -> None:
    given = settings(tmp_path)
    trade_on_paper(place, given, **changes)
    note_drill(place.folder.parent, True, NOW)
    evidence = gather(place, given, "ann", NOW)
    assert (not evidence.missing) is counts
    assert counts or "0 paper sessions" in evidence.missing[0]


def test_one_session_less_is_not_enough_and_a_torn_line_is_none(place: Place, tmp_path: Path) -> None:
    given = settings(tmp_path)
    trade_on_paper(place, given, SESSIONS_WANTED - 1)
    with (place.folder.parent / "7497-1" / "sessions.jsonl").open("ab") as file:
        file.write(b'{"at_ns": 1, "acc')
    assert f"{SESSIONS_WANTED - 1} paper sessions" in gather(place, given, "ann", NOW).missing[0]


@pytest.mark.parametrize("age_days", [-1, DRILL_DAYS + 1])
def test_a_drill_speaks_for_its_days_alone(place: Place, tmp_path: Path, age_days: int) -> None:
    given = settings(tmp_path)
    trade_on_paper(place, given)
    note_drill(place.folder.parent, True, NOW - age_days * 86_400 * NS_PER_S)
    assert "no drill" in gather(place, given, "ann", NOW).missing[0]
    note_drill(place.folder.parent, False, NOW)
    assert "no drill" in gather(place, given, "ann", NOW).missing[0]


def test_every_missing_piece_is_named_at_once(place: Place, tmp_path: Path) -> None:
    wish = msgspec.structs.replace(WISH, operator=" ")
    with pytest.raises(ConfigError) as error:
        unlock_offline(place, settings(tmp_path, '"off"'), wish, SystemClock())
    for word in ("paper sessions", "no drill", "max_order_quantity", "--operator"):
        assert word in str(error.value)
    with SafetyFile(place.safety) as safety:
        assert safety.state.unlocks == ()


@pytest.mark.parametrize(
    "change", [{"account": "DU1"}, {"account": "U1111111"}, {"seconds": 0.0}, {"seconds": 90_000.0}]
)
def test_another_account_or_too_long_a_time_is_refused(
    place: Place, tmp_path: Path, change: dict[str, object]
) -> None:
    given = settings(tmp_path)
    trade_on_paper(place, given)
    note_drill(place.folder.parent, True, NOW)
    with pytest.raises(ConfigError):
        unlock_offline(place, given, msgspec.structs.replace(WISH, **change), SystemClock())


# -- what an unlock speaks for


def given(place: Place, tmp_path: Path) -> Settings:
    """The configuration of a live account with all the evidence there."""
    known = settings(tmp_path)
    trade_on_paper(place, known)
    note_drill(place.folder.parent, True, NOW)
    return known


def test_an_unlock_speaks_for_its_code_and_configuration_alone(place: Place, tmp_path: Path) -> None:
    known = given(place, tmp_path)
    unlock = unlock_offline(place, known, WISH, SystemClock())
    with SafetyFile(place.safety) as safety:
        state, at_ns = safety.state, unlock.at_ns
        assert why_locked(state, LIVE, known, at_ns) == ""
        assert "another configuration" in why_locked(state, LIVE, settings(tmp_path, "101"), at_ns)
        assert why_locked(state, "U1111111", known, at_ns) == "live trading is locked"
        assert why_locked(state, LIVE, known, unlock.until_ns) == "live trading is locked"
        safety.unlock(msgspec.structs.replace(unlock, code="another"))
        assert "another code" in why_locked(safety.state, LIVE, known, at_ns)


def test_limits_that_were_changed_at_run_time_are_not_unlocked(place: Place, tmp_path: Path) -> None:
    """Nothing was earned on them, and they hold at the next start as well."""
    known = given(place, tmp_path)
    limits = Limits.from_section(known.risk.chosen())
    store = SQLiteStore(place.journal)
    began = LimitsChanged(
        at_ns=1, operator="configuration", reason="", limits=limits.to_plain(), configured=True
    )
    wider = limits.changed({"max_order_quantity": "5000"})
    change = LimitsChanged(at_ns=2, operator="ann", reason="more", limits=wider.to_plain())
    store.append([encode_record(began), encode_record(change)])
    store.close()
    with pytest.raises(ConfigError, match=r"changed at run time.*max_order_quantity"):
        unlock_offline(place, known, WISH, SystemClock())
    newer = settings(tmp_path, "200")  # the file is the newer word now: its own evidence is what is wanted
    trade_on_paper(place, newer)
    assert unlock_offline(place, newer, WISH, SystemClock()).account == LIVE
