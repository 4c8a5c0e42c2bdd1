"""The synchronous host: same core, another thread; beside a running loop as well."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.connection.peers import config_of

from tws.connection import SyncConnection
from tws.errors import (
    ConnectError,
    LinkLostError,
    NoContractError,
    NotSentError,
    OrderDeniedError,
    RequestTimeoutError,
)
from tws.model.contract import stock
from tws.model.order import Order, OrderType, Side
from tws.simulator import SimulatedTWS, SimulatorOptions

SPY = stock("SPY")


class Host:
    """A simulator on a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.sim = self.run(self._start())

    async def _start(self) -> SimulatedTWS:
        sim = SimulatedTWS(SimulatorOptions(paused=True, symbols=("SPY",)))
        self.port = (await sim.start())[1]
        return sim

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def do(self, call: Any, *arguments: Any, **keywords: Any) -> Any:
        async def act() -> Any:
            return call(*arguments, **keywords)

        return self.run(act())

    def stop(self) -> None:
        self.run(self.sim.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.stop()


def test_a_whole_session(host: Host, tmp_path: Any) -> None:
    with SyncConnection(config_of(host.port), journal=tmp_path / "guard.sqlite3") as connection:
        assert connection.is_connected()
        assert connection.accounts == ("DU1234567",)
        assert connection.server_version == 225
        assert connection.request_current_time().tzinfo is not None
        assert connection.request_managed_accounts() == ("DU1234567",)
        found = connection.request_contract(SPY)
        with pytest.raises(NoContractError):
            connection.request_contract(stock("NOSUCH"))
        assert connection.request_historical_bars(SPY, duration="600 S")
        assert connection.request_positions() == []
        first = connection.get_next_order_id()
        order = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(10))
        sending = connection.place_order(found.contract, order)
        assert first is not None and sending.order_id == first + 1
        assert [row.order_id for row in connection.request_open_orders()] == [sending.order_id]
        connection.cancel_order(sending.order_id)
        assert connection.request_open_orders() == []
        with pytest.raises(OrderDeniedError):
            connection.place_order(found.contract, Order(side=Side.BUY, quantity=Decimal(10**7)))
        thread = next(each for each in threading.enumerate() if each.name.startswith("tws connection"))
        assert thread.daemon
    assert not connection.is_connected()
    thread.join(5)
    assert not thread.is_alive()
    with pytest.raises(NotSentError):
        connection.request_current_time()
    connection.close()


def test_quotes(host: Host) -> None:
    with SyncConnection(config_of(host.port)) as connection:
        host.do(host.sim.quote, "SPY", bid=100.0, ask=100.02)
        with connection.stream_quotes(SPY) as quotes:
            for quote in quotes:
                if quote.ask == 100.02:
                    break
            assert quotes.quote.bid == 100.0
            with pytest.raises(RequestTimeoutError):
                while True:
                    quotes.next(timeout_s=0.05)
            host.do(host.sim.quote, "SPY", bid=100.01, ask=100.02)
            assert quotes.next(timeout_s=60).bid == 100.01
        assert list(quotes) == []


def test_the_line_is_cut_while_a_reader_waits(host: Host) -> None:
    with SyncConnection(config_of(host.port), keep=False) as connection:
        quotes = connection.stream_quotes(SPY)
        threading.Timer(0.05, lambda: host.do(host.sim.faults.cut)).start()
        with pytest.raises(LinkLostError):
            for _ in quotes:
                pass
        quotes.close()
        assert connection.connect() is True


async def test_beside_a_running_loop(host: Host) -> None:
    """A notebook's cell runs inside a loop; nothing is patched, nothing complains."""
    with SyncConnection(config_of(host.port)) as connection:
        assert connection.request_current_time()


def test_nobody_there() -> None:
    connection = SyncConnection(config_of(1, connection_timeout=1))
    assert connection.connect() is False
    assert connection.failure is not None and connection.failure.stage == "dial"
    connection.close()
    with pytest.raises(ConnectError), SyncConnection(config_of(1, connection_timeout=1)):
        pytest.fail("no session can be here")
    assert not any(
        thread.name.startswith("tws connection") and not thread.daemon for thread in threading.enumerate()
    )


def test_a_callback_that_waits_for_its_own_thread_is_told(host: Host) -> None:
    caught: list[BaseException] = []
    connection = SyncConnection(config_of(host.port))

    def ask() -> None:
        try:
            connection.request_current_time()
        except RuntimeError as error:
            caught.append(error)

    connection.set_callbacks(on_connected=ask)
    with connection:
        pass
    assert "own thread" in str(caught[0])


def test_disconnect_returns_at_once_while_a_callback_is_slow(host: Host) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(*tick: object) -> None:
        entered.set()
        release.wait(10)

    connection = SyncConnection(config_of(host.port))
    assert connection.connect()
    connection.stream_quotes(SPY).on_tick(slow)
    host.do(host.sim.quote, "SPY", bid=100.0, ask=100.02)
    assert entered.wait(5)
    connection.disconnect()
    connection.disconnect()
    assert not release.is_set()
    release.set()
    while connection.is_connected():
        time.sleep(0.001)
    connection.close()
