"""The synchronous host has every name of the asynchronous one, with the same parameters, and waits."""

from __future__ import annotations

import inspect
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tws.connection import SyncConnection, TWSConnection, sync
from tws.connection.streaming.statestreams import AccountStream
from tws.errors import NoContractError, RequestError, RequestTimeoutError
from tws.model.contract import stock
from tws.model.order import Order, OrderType, Side
from tws.testing import HostedTWS

SPY = stock("SPY")

ON_THE_LOOP_ALONE = {
    "attach": "an EWrapper is called by the loop",
    "broker": "a book that the loop writes",
    "bytes_received": "for the figures of a run",
    "bytes_sent": "for the figures of a run",
    "connection_time": "for the doctor",
    "facts": "a lane is drained by the loop",
    "farms": "read them from `core`",
    "from_settings": "a SyncConnection is made from a TWSConfig",
    "official_request_id": "read it from `core`",
    "on_event": "a listener is called by the loop",
    "outbound": "a desk's door",
    "read_only": "read it from `core`",
    "recent_events": "read them from `core`",
    "request_rate": "no request: a figure, read it from `core`",
    "session": "read it from `core`",
    "unreadable": "read it from `core`",
    "wait_closed": "`close` waits",
    "waiting_requests": "read them from `core`",
}
"""Names of TWSConnection that the host has not, and why."""
OF_THE_HOST_ALONE = {"close", "run"}


def names(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_both_have_the_same_names() -> None:
    assert names(TWSConnection) - names(SyncConnection) == set(ON_THE_LOOP_ALONE)
    assert names(SyncConnection) - names(TWSConnection) == OF_THE_HOST_ALONE


@pytest.mark.parametrize("name", sorted(names(TWSConnection) & names(SyncConnection)))
def test_both_take_the_same_and_say_the_same(name: str) -> None:
    theirs, ours = getattr(TWSConnection, name), getattr(SyncConnection, name)
    if not callable(theirs):
        assert isinstance(ours, property) and ours.__doc__
        return
    assert inspect.signature(ours).parameters == inspect.signature(theirs).parameters, (
        "write `name = asks(TWSConnection.name)`"
    )
    assert ours.__doc__ and (name in vars(SyncConnection))
    if name.startswith("request_"):
        assert ours.__doc__ == theirs.__doc__
        assert "Reply" not in str(inspect.signature(ours).return_annotation)


@pytest.fixture
def hosted() -> HostedTWS:
    return HostedTWS(paused=True, seed=3)


def test_a_session_of_each_kind(hosted: HostedTWS, tmp_path: Path) -> None:
    with hosted, SyncConnection(hosted.config(), journal=tmp_path / "guard.sqlite3") as connection:
        hosted.quote("SPY", bid=100.0, ask=100.02)
        connection.wait_ready()
        assert connection.request_quote(SPY).bid == 100.0
        chain = next(one for one in connection.request_option_chain(SPY) if one.exchange == "SMART")
        assert (
            len(connection.request_option_contracts(chain, expirations=chain.expirations[:1], rights="C")) > 3
        )
        contract = connection.request_contract(SPY).contract
        order = Order(
            side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal("100.02")
        )
        assert connection.request_what_if(contract, order).commission
        assert connection.place_order(contract, order).order_id > 0
        with connection.stream_account() as account:
            account.call(AccountStream.complete)
            assert [item.contract.symbol for item in account.state.portfolio.values()] == ["SPY"]
        with connection.stream_pnl_of("", contract.con_id) as profit:
            assert profit.next(5).quantity == 1
        with connection.stream_depth(SPY, smart=True) as book:
            for _ in book:
                if len(book.state.asks) == 5:
                    break
            hosted.quote("SPY", bid=100.01, ask=100.03)
            assert book.next(5) is not None
            with pytest.raises(RequestTimeoutError):
                while True:
                    book.next(timeout_s=0.05)
        assert list(book) == []
        connection.cancel_all_orders()
        with pytest.raises(NoContractError):
            connection.request_quote(stock("NOSUCH"))
        with pytest.raises(NoContractError):
            next(connection.stream_bars(stock("NOSUCH")))
        with pytest.raises(RequestError):
            connection.bind_manual_orders()


def test_a_download(hosted: HostedTWS) -> None:
    with hosted, SyncConnection(hosted.config()) as connection:
        end = datetime.fromtimestamp(hosted.call(lambda sim: sim.now_ns()) // 10**9 // 3600 * 3600, UTC)
        download = connection.download_bars(SPY, end - timedelta(days=3), end, use_rth=False)
        bars = [bar for chunk in download for bar in chunk]
        assert len(bars) == download.state.rows == len({bar.time_ns for bar in bars}) > 1000
        assert download.state.position == end


def test_a_thread_that_stands_still_is_found(hosted: HostedTWS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "_MARGIN_S", 0.05)
    entered, release = threading.Event(), threading.Event()

    def dawdle(*tick: object) -> None:
        entered.set()
        release.wait(20)

    with hosted, SyncConnection(hosted.config()) as connection:
        connection.stream_quotes(SPY).on_tick(dawdle)
        hosted.quote("SPY", bid=100.0, ask=100.02)
        assert entered.wait(5)
        with pytest.raises(RequestTimeoutError, match="callback"):
            connection.request_current_time()
        release.set()


def test_a_long_answer_is_waited_for_while_the_loop_turns(
    hosted: HostedTWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "_MARGIN_S", 0.02)
    with hosted, SyncConnection(hosted.config(request_timeout=0.3), pacing=None) as connection:
        hosted.play("mute")
        with pytest.raises(RequestTimeoutError, match="current time"):
            connection.request_current_time()
