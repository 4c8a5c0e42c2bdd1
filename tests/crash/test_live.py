"""Live from the lock to the end of an unlock, by real processes: the evidence is earned, not written.

Two simulated TWS with the same market: one of a paper account, one of a live one. The drill is played, five
sessions are traded and reconciled on paper by the configuration that then trades live.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.process import Desk, until

from tws.journal import read_journal
from tws.model.records import Denied, decode_records
from tws.runtime.evidence import SESSIONS_WANTED
from tws.runtime.place import Place
from tws.safety import SafetyFile
from tws.testing import HostedTWS

pytestmark = pytest.mark.timeout(600)

LIVE = "U1234567"
OTHER = "U7654321"


@pytest.fixture
def paper() -> Iterator[HostedTWS]:
    with HostedTWS(hours="always") as tws:
        quote(tws)
        yield tws


@pytest.fixture
def real() -> Iterator[HostedTWS]:
    with HostedTWS(hours="always", accounts=(LIVE, OTHER)) as tws:
        quote(tws)
        yield tws


def quote(tws: HostedTWS) -> None:
    for symbol, price in (("SPY", 100.0), ("QQQ", 50.0)):
        tws.quote(symbol, bid=price - 0.01, ask=price + 0.01)


def on(desk: Desk, tws: HostedTWS, live: bool, text: str) -> None:
    """The same configuration on another TWS: where it listens differs, and which account is meant."""
    where = f"port = {tws.port}\nclient_id = 1\n"
    if live:
        where += f'account_id = "{LIVE}"\ntrading_mode = "live"\n'
    rest = text[text.index("[risk]") :]
    desk.config.write_text(f"[connection]\n{where}{rest}", encoding="utf-8")
    desk.signals.write_bytes(b"")
    desk.tws = tws
    desk.place = Place(desk.place.folder.parent / f"{tws.port}-1")


def unlock(desk: Desk, *words: str, account: str = LIVE) -> tuple[int, str]:
    return desk.command("unlock", str(desk.config), "--account", account, "--operator", "ann", *words)


def refused(desk: Desk) -> str:
    """What `tws run` says when it may not start."""
    process = desk.run()
    try:
        assert process.wait() == 2, process.text
        return process.text
    finally:
        process.kill()


def earn(desk: Desk) -> None:
    """Sessions on paper that end reconciled, one of them with a trade, and the drill."""
    for number in range(SESSIONS_WANTED):
        with desk.running() as process:
            if number == 0:
                desk.signal("SPY")
                until(lambda: desk.holds("SPY", 10), "a trade on paper")
            assert desk.ask("stop", how="flatten")["good"]
            assert process.wait() == 0, process.text
    code, text = desk.command("drill", "kill")
    assert code == 0 and "10 of 10 passed" in text, text


def types(tws: HostedTWS) -> list[str]:
    return sorted(view.ticket.order_type for view in tws.orders())


@pytest.mark.slow
def test_live_is_earned_unlocked_traded_and_over(tmp_path: Path, paper: HostedTWS, real: HostedTWS) -> None:
    desk = Desk(tmp_path, paper)
    limits = '[risk]\nallow = ["SPY", "QQQ"]\nmax_order_quantity = 100\nmax_position = 100'
    text = desk.config.read_text(encoding="utf-8").replace("[risk]", limits)
    on(desk, real, True, text)
    assert "live trading is locked" in (said := refused(desk)) and f"--account {LIVE}" in said, said
    code, said = unlock(desk)
    assert code == 2 and "no drill was played" in said and "0 paper sessions" in said, said

    on(desk, paper, False, text)
    earn(desk)
    on(desk, real, True, text)
    assert real.sessions() == 0 and "live trading is locked" in refused(desk), "evidence alone opens nothing"
    code, said = unlock(desk, account=OTHER)
    assert code == 2 and "not the one of the configuration" in said, said
    code, said = unlock(desk, "--for", "8h")
    assert code == 0, said
    for line in (
        "may trade live until",
        "It begins with step 1 of 4: 10% of sizes and limits",
        "paper sessions ended reconciled",
        "a drill passed",
        "limits:",
        "ann",
    ):
        assert line in said, said
    assert LIVE not in said, "an account's id is masked"

    wider = text.replace("max_order_quantity = 100", "max_order_quantity = 2000")
    on(desk, real, True, wider)
    assert "another configuration" in (said := refused(desk)), said
    code, said = unlock(desk)
    assert code == 2 and "0 paper sessions" in said, said
    on(desk, real, True, text)
    trade_live(desk, real)


def trade_live(desk: Desk, real: HostedTWS) -> None:
    with desk.running() as process:
        desk.signal("SPY")
        until(lambda: real.position("SPY", LIVE) == 1 and desk.settled(), "a live position with its stop")
        assert "LIVE, real money; step 1 of 4: 10% of sizes and limits" in process.text
        human = ("--operator", "ann", "--reason", "a test", "--trader", desk.place.name)
        assert desk.command("risk", "--set", "max_position=5", *human)[0] == 0
        code, said = unlock(desk)
        assert code == 2 and "changed at run time" in said and "max_position" in said, said
        assert desk.command("risk", "--set", "max_position=10", *human)[0] == 0

        code, said = unlock(desk, "--for", "0.2s")  # the last one that was given counts
        assert code == 0, said
        with SafetyFile(desk.place.safety) as safety:
            until(lambda: safety.state.unlocked(LIVE, time.time_ns()) is None, "the end of the unlock")
        desk.signal("QQQ")
        until(lambda: "live_lock" in denials(desk), "an entry that the expired unlock keeps back")
        assert real.position("QQQ", LIVE) == 0 and types(real) == ["LMT", "STP"], "the stop stays"
        desk.signal("SPY", "SELL")
        until(lambda: real.position("SPY", LIVE) == 0 and not real.orders(), "an exit without an unlock")
        assert desk.ask("stop", how="protected")["flat"]
        assert process.wait() == 0, process.text
    assert "live_lock" in process.text, process.text
    assert "live trading is locked" in refused(desk)


def denials(desk: Desk) -> list[str]:
    """The limits that kept something back, by the journal."""
    records = decode_records(read_journal(desk.place.journal))
    return [each.limit for each in records if isinstance(each, Denied)]
