"""`tws adjust` as a trader meets it: beside `tws run` as a process, the simulated TWS on a socket.

What happens at the broker without a word of ours (a split, an assignment, a sale by hand, shares from before
us) happens in the simulator's own books; each scenario ends with our books equal to those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call
from tests.crash.process import Desk, until

from tws.exchange import OrderTicket
from tws.journal import verify_journal
from tws.model.order import Side
from tws.simulator import SimulatedTWS
from tws.simulator.universe import Wanted
from tws.testing import HostedTWS

D = Decimal
ACCOUNT = "DU1234567"
ANN = ("--operator", "ann", "--reason", "the broker's notice")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with HostedTWS(hours="always") as tws:
        for symbol, price in (("SPY", 100.0), ("QQQ", 50.0)):
            tws.quote(symbol, bid=price - 0.01, ask=price + 0.01)
        yield Desk(tmp_path, tws)


def at_the_broker(desk: Desk, happens: Callable[[SimulatedTWS], Any]) -> None:
    """Something happens in the exchange's books; its clients are told what they are told of it."""
    desk.tws.call(lambda sim: sim.core.tell(happens(sim)))


def by_hand(desk: Desk, side: str, quantity: int) -> None:
    def place(sim: SimulatedTWS) -> Any:
        ticket = OrderTicket(client_id=0, order_id=0, account=ACCOUNT, con_id=sim.con_id("SPY"),
                             side=Side(side), quantity=D(quantity), order_type="MKT")  # fmt: skip
        return sim.exchange.by_hand.place(ticket, sim.now_ns())

    at_the_broker(desk, place)


def from_before_us(desk: Desk, shares: int) -> None:
    """Shares that no execution of the day explains."""
    at_the_broker(desk, lambda sim: sim.exchange.corporate.transfer(
        ACCOUNT, sim.con_id("SPY"), D(shares), D(95), sim.now_ns()))  # fmt: skip


def hold(desk: Desk) -> None:
    """Ten SPY of ours with their stop and target at the broker."""
    before = desk.tws.position("SPY")
    desk.signal("SPY")
    until(lambda: desk.tws.position("SPY") == before + 10 and desk.settled(), "a protected position")


def stops(desk: Desk) -> list[tuple[Decimal, Decimal | None]]:
    views = [view for view in desk.tws.orders() if view.ticket.order_type == "STP"]
    return [(view.remaining, view.ticket.stop_price) for view in views]


def as_json(desk: Desk, *words: str) -> Any:
    code, text = desk.command(*words, "--json")
    assert code == 0, text
    return json.loads(text)


def row(desk: Desk, symbol: str = "SPY") -> dict[str, Any]:
    """How `tws positions` shows it."""
    return next(each for each in as_json(desk, "positions", "--all")["positions"] if each["symbol"] == symbol)


def differs(desk: Desk) -> list[Any]:
    return [each for each in desk.ask("status")["discrepancies"] if each["kind"] == "position"]


@pytest.mark.slow
def test_300_shares_held_before_us_are_confirmed_by_a_named_human(desk: Desk) -> None:
    from_before_us(desk, 300)
    with desk.running():
        hold(desk)
        code, text = desk.command("adjust", "--opening")
        assert code == 2 and "SPY 300" in text and "--operator" in text, text
        code, text = desk.command("adjust", "--opening", "--expect", "SPY=200", *ANN)
        assert code == 2 and "had 300" in text, text
        code, text = desk.command("adjust", "--opening", "--expect", "QQQ=0", *ANN)
        assert code == 2 and "leaves out SPY 300" in text, text
        code, text = desk.command("adjust", "--opening", "--expect", "SPY=300", *ANN)
        assert code == 0 and "Confirmed the opening of DU1234567: SPY 300" in text, text
        shown = row(desk)
        assert (shown["ours"], shown["account's"], shown["others"]) == ("10", "310", "300")
        assert (shown["opening"], shown["confirmed"]) == ("300", True)
        code, text = desk.command("stop", "--flatten")
        assert code == 0, text
    assert desk.tws.position("SPY") == 300, "what was there before us stays"


def test_an_opening_is_confirmed_without_a_trader(desk: Desk) -> None:
    from_before_us(desk, 300)
    with desk.running() as process:
        hold(desk)
        process.kill()
    answer = as_json(desk, "adjust", "--opening", *ANN)
    assert answer["records"] == ["OpeningConfirmed"]
    assert row(desk)["confirmed"] is True
    with desk.running():
        until(desk.settled, "the second life, settled")
        assert row(desk)["confirmed"] is True


@pytest.mark.slow
def test_a_manual_sale_of_half_of_ours(desk: Desk) -> None:
    with desk.running():
        hold(desk)
        by_hand(desk, "SELL", 5)
        until(lambda: [s for s, _ in stops(desk)] == [5], "a stop of what is left")
        words = ("adjust", "SPY", "--quantity", "-5", "--price", "99.99")
        code, text = desk.command(*words, "--ours-alone", *ANN)
        assert code == 0 and "ours 5, the account's 5, the broker states 5: these agree" in text, text
        until(desk.settled, "agreement")
        assert (row(desk)["ours"], row(desk)["account's"]) == ("5", "5")
        assert [size for size, _ in stops(desk)] == [5]


@pytest.mark.parametrize("runs", [True, False])
def test_a_split_of_four_to_one_with_a_working_stop(desk: Desk, runs: bool) -> None:
    def split(sim: SimulatedTWS) -> Any:
        return sim.exchange.corporate.split(sim.con_id("SPY"), D(4), sim.now_ns())

    words = ("adjust", "SPY", "--split", "4:1", *ANN)
    with desk.running() as process:
        hold(desk)
        ((_, old),) = stops(desk)
        assert old is not None
        at_the_broker(desk, split)
        desk.tws.quote("SPY", bid=24.99, ask=25.01)
        until(lambda: differs(desk) and "NOT PROTECTED" in process.text, "the difference, and the alarm")
        alarm = next(line for line in process.text.splitlines() if "NOT PROTECTED" in line)
        assert stops(desk) == [], "at the old price it would sell at once"
        if runs:
            code, text = desk.command(*words)
            assert code == 0 and "ours 40, the account's 40, the broker states 40" in text, text
        else:
            process.kill()
            code, text = desk.command(*words)
            assert code == 0 and "ours 40, the account's 40" in text, text
    with desk.running():
        until(lambda: [size for size, _ in stops(desk)] == [40], "a stop of all after the split")
    head = re.search(r"\b\d+:[0-9a-f]{64}\b", alarm)
    assert head, f"an alarm carries the journal's head: {alarm}"
    assert desk.command("verify", "--head", head.group())[0] == 0
    assert desk.command("verify", "--head", head.group().replace(":", ":0", 1)[:-1])[0] == 1
    ((size, price),) = stops(desk)
    assert (size, price) == (40, (old / 4).quantize(D("0.01")))


def test_an_assignment(desk: Desk) -> None:
    """A put that is short goes, and shares come, without an execution of either."""

    def sell(sim: SimulatedTWS) -> Any:
        wanted = Wanted(symbol="SPY", sec_type="OPT", strike=560.0, right="P", exchange="SMART")
        found = sim.core.universe.find(wanted)[0]
        sim.core.listed(found)
        sim.quote(found.con_id, bid=1.50, ask=1.51)
        puts.append(found.con_id)
        return sim.exchange.corporate.transfer(ACCOUNT, found.con_id, D(-1), D("1.50"), sim.now_ns())

    puts: list[int] = []
    at_the_broker(desk, sell)
    (put,) = puts

    def assign(sim: SimulatedTWS) -> Any:
        return sim.exchange.corporate.exercise(ACCOUNT, put, D(1), sim.con_id("SPY"), sim.now_ns())

    with desk.running():
        until(desk.settled, "the first answers")
        at_the_broker(desk, assign)
        until(lambda: len(differs(desk)) == 2, "two positions that differ")
        code, text = desk.command("adjust", str(put), "--quantity", "1", *ANN)
        assert code == 0 and "(OPT) now: ours 0, the account's 0, the broker states 0" in text, text
        code, text = desk.command("adjust", "SPY", "--quantity", "100", "--price", "560", *ANN)
        assert code == 0 and "the account's 100, the broker states 100: these agree" in text, text
        until(desk.settled, "agreement")


def test_cash_from_outside_is_explained(desk: Desk) -> None:
    with desk.running() as process:
        hold(desk)
        until(lambda: desk.command("adjust", "--cash", "0", *ANN)[0] == 2, "a refusal")
        code, text = desk.command("adjust", "--cash", "12.50", "--currency", "XYZ", *ANN)
        assert code == 2 and "Stated: " in text and "USD" in text, text
        answer = as_json(desk, "adjust", "--cash", "12.50", *ANN)
        assert "CashAdjusted" in answer["records"]
        process.kill()
    assert as_json(desk, "adjust", "--cash", "-12.50", *ANN)["records"] == ["CashAdjusted"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "wants one of SYMBOL, --opening, --cash"),
        (("SPY", "--cash", "3"), "at once"),
        (("SPY",), "is no number"),
        (("SPY", "--quantity", "0"), "moves nothing"),
        (("SPY", "--quantity", "NaN"), "is no number"),
        (("SPY", "--quantity", "5", "--price", "-1"), "below zero"),
        (("SPY", "--split", "4:0"), "is no split"),
        (("SPY", "--split", "4:1", "--quantity", "3"), "can't both be"),
        (("SPY", "--quantity", "5", "--at", "tomorrow"), "is no moment"),
        (("SPY", "--quantity", "5", "--at", "2099-01-01 09:30:00"), "in the future"),
        (("SPY", "--quantity", "5", "--account", "DU9"), "is no account of this login"),
        (("NOPE", "--quantity", "5"), "unknown to this journal"),
    ],
)
def test_nonsense_is_refused_in_words_and_changes_nothing(
    path: Path, call: Call, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    before = verify_journal(path).head
    code, text = call("adjust", *words, *ANN, "--journal", path, "--state", tmp_path)
    assert code == 2 and says in text, text
    assert verify_journal(path).head == before
