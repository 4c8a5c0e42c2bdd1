"""The price to reckon with: where it comes from, how old it is, and the reasons not to use it."""

from __future__ import annotations

import math

import pytest

from tws.clock import NS_PER_S
from tws.marketdata import Freshness, Price, QuoteBoard
from tws.marketdata.board import Line
from tws.model.market import MarketDataType, TickField
from tws.model.session import Session

NAN, S = math.nan, NS_PER_S
T0 = 1_700_000_000 * S
BID, ASK, LAST, VOLUME = TickField.BID, TickField.ASK, TickField.LAST, TickField.VOLUME


@pytest.fixture
def board() -> QuoteBoard:
    return QuoteBoard(bar_seconds=10)


@pytest.fixture
def line(board: QuoteBoard) -> Line:
    return board.add(1, "SPY", T0)


def price(board: QuoteBoard, after_s: float, **rules: object) -> Price:
    found = board.price(1, T0 + int(after_s * S), Freshness(**rules))  # type: ignore[arg-type]
    assert found is not None
    return found


def quoted(line: Line, at_s: float = 0, bid: float = 99.0, ask: float = 101.0) -> None:
    line.tick(BID, bid, 1, T0 + int(at_s * S))
    line.tick(ASK, ask, 1, T0 + int(at_s * S))


def test_nothing_is_known_at_first(board: QuoteBoard, line: Line) -> None:
    found = price(board, 1)
    assert (found.price, found.source, found.age_s, found.silent_s) == (None, "", None, None)
    assert found.stale == "no price yet" and not found.is_fresh
    assert board.price(2, T0) is None


def test_the_middle_and_its_age(board: QuoteBoard, line: Line) -> None:
    quoted(line)
    line.tick(LAST, 97.0, 1, T0 + 3 * S)
    found = price(board, 5)
    assert (found.price, found.source, found.age_s, found.quote_age_s) == (100.0, "mid", 5.0, 5.0)
    assert (found.trade_age_s, found.silent_s) == (2.0, 2.0)
    assert found.is_fresh and found.kind is MarketDataType.LIVE


def test_a_crossed_or_one_sided_market_has_its_last_trade(board: QuoteBoard, line: Line) -> None:
    line.tick(LAST, 97.0, 1, T0)
    line.tick(BID, 99.0, 1, T0 + S)
    assert (price(board, 2).price, price(board, 2).source, price(board, 2).age_s) == (97.0, "last", 2.0)
    line.tick(ASK, 98.0, 1, T0 + S)
    assert price(board, 2).source == "last"


def test_the_close_of_yesterday_is_no_price(board: QuoteBoard, line: Line) -> None:
    line.tick(TickField.CLOSE, 98.0, 0, T0)
    assert price(board, 0).price is None


def test_a_volume_that_grows_is_a_trade_and_a_size_is_a_quote(board: QuoteBoard, line: Line) -> None:
    quoted(line)
    line.tick(LAST, 100.0, 1, T0)
    line.tick(VOLUME, NAN, 100, T0 + S)
    assert price(board, 4).trade_age_s == 4
    line.tick(VOLUME, NAN, 200, T0 + 2 * S)
    line.tick(TickField.BID_SIZE, NAN, 9, T0 + 3 * S)
    assert (price(board, 4).trade_age_s, price(board, 4).quote_age_s) == (2, 1)


def test_an_old_price_and_one_from_the_future_are_stale(board: QuoteBoard, line: Line) -> None:
    quoted(line)
    assert price(board, 10).is_fresh
    assert price(board, 10.1).stale == "10.1 s old, more than 10 s"
    assert price(board, 3, max_age_s=2).stale == "3.0 s old, more than 2 s"
    assert "future" in price(board, -11).stale


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (MarketDataType.DELAYED, "delayed data"),
        (MarketDataType.FROZEN, "frozen data"),
        (MarketDataType.DELAYED_FROZEN, "delayed-frozen data"),
        (MarketDataType.NONE, "none data"),
        (MarketDataType(9), "unknown-9 data"),
    ],
)
def test_data_of_another_kind_are_stale_unless_allowed(
    board: QuoteBoard, line: Line, kind: MarketDataType, word: str
) -> None:
    quoted(line)
    line.heard(kind)
    assert price(board, 0).stale == word and price(board, 0).kind is kind
    assert price(board, 0, kinds=(MarketDataType.LIVE, kind)).is_fresh


def test_delayed_ticks_tell_their_kind_by_themselves(board: QuoteBoard, line: Line) -> None:
    line.tick(66, 99.0, 1, T0)
    line.tick(67, 101.0, 1, T0)
    assert (price(board, 0).price, price(board, 0).stale) == (100.0, "delayed data")


def test_an_interruption_makes_everything_stale_until_it_ends(board: QuoteBoard, line: Line) -> None:
    quoted(line)
    board.interrupt("the link is lost", T0)
    assert price(board, 0).stale == "interrupted: the link is lost"
    board.resume(T0 + S)
    assert price(board, 1).is_fresh


def test_a_halt_is_told(board: QuoteBoard, line: Line) -> None:
    quoted(line)
    line.tick(TickField.HALTED, 1.0, NAN, T0)
    assert price(board, 0).stale == "trading is halted" and price(board, 0).quote.halted == 1
    line.tick(TickField.HALTED, 0.0, NAN, T0)
    assert price(board, 0).is_fresh
    line.tick(TickField.HALTED, -1.0, NAN, T0)
    assert price(board, 0).quote.halted is None


def test_what_was_traded_during_an_interruption_belongs_to_no_bar(board: QuoteBoard, line: Line) -> None:
    line.tick(VOLUME, NAN, 1000, T0)
    line.tick(LAST, 100.0, 1, T0)
    line.tick(VOLUME, NAN, 1100, T0)
    board.interrupt("the link is lost", T0 + S)
    board.resume(T0 + 12 * S)
    line.tick(VOLUME, NAN, 9000, T0 + 13 * S)
    line.tick(LAST, 101.0, 1, T0 + 13 * S)
    line.tick(VOLUME, NAN, 9050, T0 + 14 * S)
    board.advance(T0 + 20 * S)
    first, second = [done.bar for done in board.take_bars()]
    assert (first.volume, first.is_whole, second.volume, second.is_whole) == (100, False, 50, False)


def test_bars_belong_to_the_session_that_the_board_is_told(board: QuoteBoard, line: Line) -> None:
    board.on_session(1, Session(T0 + 5 * S, T0 + 18 * S))
    board.on_session(2, Session(T0, T0 + S))  # not on the board
    for at in (0, 6, 16, 19):
        line.tick(LAST, 100.0 + at, 1, T0 + at * S)
    assert [(done.bar.time_ns - T0) // S for done in board.take_bars()] == [5, 15]
    assert line.bars.outside == 2
