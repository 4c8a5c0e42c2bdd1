"""A file of signals that grows: whole lines alone, each once, in the order of their times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tws.clock import NS_PER_S
from tws.signals import FollowedSignals
from tws.strategy import Reason

T0 = 1_800_000_000
NOW = T0 * NS_PER_S


def row(name: str, at_s: float = T0) -> bytes:
    return json.dumps({"id": name, "symbol": "SPY", "signal": "BUY", "time": at_s}).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "signals.jsonl").touch()
    return tmp_path / "signals.jsonl"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def ids(signals: FollowedSignals, now_ns: int = NOW) -> list[str]:
    assert signals.look(now_ns) == []
    return [signal.signal_id for signal in signals.due(now_ns)]


def test_what_is_appended_is_given_out_once(path: Path) -> None:
    signals = FollowedSignals(path)
    assert ids(signals) == []
    append(path, row("a") + row("b"))
    assert ids(signals) == ["a", "b"]
    append(path, row("c"))
    assert ids(signals) == ["c"]
    assert ids(signals) == []


def test_half_a_line_waits_for_its_rest(path: Path) -> None:
    signals = FollowedSignals(path)
    whole = row("a")
    for at in range(len(whole)):
        assert ids(signals) == []
        append(path, whole[at : at + 1])
    assert ids(signals) == ["a"]


def test_a_signal_waits_for_its_time(path: Path) -> None:
    signals = FollowedSignals(path)
    append(path, row("later", T0 + 10) + row("now"))
    assert ids(signals) == ["now"]
    assert ids(signals, NOW + 10 * NS_PER_S) == ["later"]


def test_a_slip_is_refused_with_its_line_and_the_rest_goes_on(path: Path) -> None:
    signals = FollowedSignals(path)
    append(path, row("a") + b"no json\n[]\n\n" + b'{"id": "x"}\n' + b"\xff\xfe\n" + row("b"))
    refusals = signals.look(NOW)
    assert [refusal.text.split(":")[0] for refusal in refusals] == [
        f"signals.jsonl, line {number}" for number in (2, 3, 5, 6)
    ]
    assert [signal.signal_id for signal in signals.due(NOW)] == ["a", "b"]


def test_a_file_that_was_rotated_begins_anew(path: Path) -> None:
    signals = FollowedSignals(path)
    append(path, row("a") + row("b"))
    assert ids(signals) == ["a", "b"]
    path.write_bytes(row("c"))
    assert ids(signals) == ["c"]


def test_one_that_was_rotated_and_is_longer_by_now_begins_anew(path: Path) -> None:
    signals = FollowedSignals(path)
    append(path, row("a"))
    assert ids(signals) == ["a"]
    path.rename(path.with_suffix(".1"))
    path.write_bytes(row("b") + row("c"))
    assert ids(signals) == ["b", "c"]
    path.write_bytes(path.read_bytes() + row("d"))  # written anew, and the same as far as it was read
    assert ids(signals) == ["d"]


def test_signals_of_one_instant_wait_in_the_order_in_which_they_came(path: Path) -> None:
    """Also those of the same line of a file and of the one that it was rotated for."""
    signals = FollowedSignals(path)
    append(path, row("b", T0 + 10) + row("a", T0 + 10))
    assert ids(signals) == []
    path.write_bytes(row("d", T0 + 10))
    assert ids(signals, NOW + 10 * NS_PER_S) == ["b", "a", "d"]


def test_a_file_that_is_gone_is_a_refusal_and_may_come_back(path: Path) -> None:
    signals = FollowedSignals(path)
    path.unlink()
    assert [refusal.reason for refusal in signals.look(NOW)] == [Reason.FAILED]
    path.write_bytes(row("a"))
    assert ids(signals) == ["a"]


def test_a_line_without_end_is_not_kept(path: Path) -> None:
    signals = FollowedSignals(path)
    append(path, b"x" * 100_000)
    assert "more than" in signals.look(NOW)[0].text
