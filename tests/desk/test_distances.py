"""What `tws risk` shows is what the next order would be judged by."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tws.desk.distances import report
from tws.model.contract import Contract
from tws.risk import CONTROLS, Limits

AAPL = Contract(con_id=265598, symbol="AAPL")


def by_name(bench, about: str = "SPY"):  # type: ignore[no-untyped-def]
    rows = report(bench.desk, bench.now)
    return {row.name: row for row in rows if row.about in (about, bench.desk.state.account)}


def test_a_desk_that_holds_nothing_is_far_from_everything(bench) -> None:
    rows = by_name(bench, "")
    assert set(rows) == {each.name for each in CONTROLS if each.figure is not None}
    assert rows["max_gross_notional"].part == 0
    assert rows["stale_quote_s"].figure is None, "no quote"


def test_figures_are_those_of_what_is_held_and_works(bench) -> None:
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    bench.fill(trade.entry, 40, "99.50")
    rows = by_name(bench)
    assert {
        name: rows[name].figure
        for name in (
            "max_position",
            "max_position_notional",
            "max_net_notional",
            "max_gross_notional",
            "max_orders_per_side",
            "max_messages_per_s",
            "max_entries",
            "max_order_quantity",
            "price_collar",
        )
    } == {
        "max_position": 100,
        "max_position_notional": Decimal("10001.00"),
        "max_net_notional": Decimal("10001.00"),
        "max_gross_notional": Decimal("10001.00"),
        "max_orders_per_side": 2,
        "max_messages_per_s": 3,
        "max_entries": 1,
        "max_order_quantity": 0,
        "price_collar": pytest.approx(Decimal("0.0001")),
    }
    assert rows["max_position"].part == Decimal("0.01")
    assert rows["max_position"].bound == 10_000


def test_the_account_stands_there_once(bench) -> None:
    bench.enter(1)
    bench.enter(1, contract=AAPL)
    names = [row.name for row in report(bench.desk, bench.now)]
    assert names.count("max_gross_notional") == 1
    assert names.count("max_position") == 2


def test_a_latch_and_a_bound_of_zero_or_none(new_bench) -> None:
    bench = new_bench(
        Limits(max_entries=1, max_daily_loss=0, max_position=None, symbols={"SPY": {"max_position": 7}})
    )
    bench.begin()
    bench.enter(1)
    bench.enter(2)
    rows = by_name(bench)
    assert rows["max_entries"].latched and rows["max_entries"].part == 1
    assert rows["max_daily_loss"].part == 0
    assert rows["max_position"].bound == 7, "the symbol's own"
    assert by_name(bench)["max_drawdown"].figure == 0


def test_looking_moves_nothing(bench) -> None:
    bench.enter(10)
    before = bench.rebuilt().state
    readings = bench.desk.look(0).reckoned.readings
    report(bench.desk, bench.now)
    assert bench.desk.state == before
    assert bench.desk.look(0).reckoned.readings is readings


def test_a_figure_beyond_denies_the_next_entry(new_bench) -> None:
    """The same figure on both sides: at the bound it stands at 1, and one share more is denied."""
    bench = new_bench(Limits(max_position=100, duplicate_window_s=None))
    bench.begin()
    bench.work(bench.enter(100))
    assert by_name(bench)["max_position"].part == 1
    assert bench.enter(1).entry is None
    assert bench.denials()[-1].limit == "max_position"
