"""A recorded TWS served again: the same answers, and a word about every departure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.recording.peer import Peer

from tws.errors import DataError
from tws.recording import Proxy, Replay, ReplayOptions, read
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import (
    Answer,
    ContractData,
    ContractDataEnd,
    ContractDataRequest,
    CurrentTimeRequest,
    ErrorMessage,
    ExecutionDetails,
    ManagedAccounts,
    MarketDataRequest,
    OpenOrder,
    PlaceOrderRequest,
    PositionEnd,
    PositionsRequest,
    WireContract,
    WireOrder,
)

SPY = WireContract(symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
QQQ = WireContract(symbol="QQQ", sec_type="STK", exchange="SMART", currency="USD")

Serve = Callable[..., Awaitable[tuple[Replay, int]]]


async def ask(peer: Peer) -> None:
    peer.send(ContractDataRequest(7, SPY))
    await peer.until(ContractDataEnd)
    peer.send(ContractDataRequest(8, QQQ))
    await peer.until(ContractDataEnd)
    peer.send(PositionsRequest())
    await peer.until(PositionEnd)


@pytest.fixture(params=[157, 200, 225])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
async def recorded(proxy: tuple[Proxy, int], version: int) -> tuple[Path, list[bytes]]:
    """A recorded session, and the payloads that its client heard."""
    made, port = proxy
    peer = await Peer(port, version=version).open()
    await ask(peer)
    await peer.close()
    await made.stop()
    return made.options.path, peer.payloads


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    running: list[Replay] = []

    async def start(path: Path, **options: Any) -> tuple[Replay, int]:
        served = Replay(read(path), ReplayOptions(port=0, **options))
        running.append(served)
        return served, (await served.start())[1]

    yield start
    for served in running:
        await served.stop()


async def test_the_same_client_hears_the_same_bytes_but_for_what_is_redacted(
    recorded: tuple[Path, list[bytes]], serve: Serve, version: int
) -> None:
    path, heard = recorded
    served, port = await serve(path)
    peer = await Peer(port, version=version).open()
    await ask(peer)
    await peer.close()
    assert [len(one) for one in peer.payloads] == [len(one) for one in heard]
    assert sum(one == other for one, other in zip(peer.payloads, heard, strict=True)) >= len(heard) - 2
    assert served.departures == []


async def test_strict_ends_at_the_first_departure_and_names_its_line(
    recorded: tuple[Path, list[bytes]], serve: Serve, version: int
) -> None:
    served, port = await serve(recorded[0])
    peer = await Peer(port, version=version).open()
    peer.send(ContractDataRequest(7, QQQ))
    assert await peer.at_end() == b""
    (departure,) = served.departures
    assert departure.expected == "ContractDataRequest with contract.symbol='SPY'"
    assert departure.came == "with contract.symbol='QQQ'"
    lines = recorded[0].read_text(encoding="utf-8").splitlines()
    assert '"client"' in lines[departure.line - 1]
    await peer.close()


async def test_strict_ends_at_one_frame_more_than_recorded(
    recorded: tuple[Path, list[bytes]], serve: Serve, version: int
) -> None:
    served, port = await serve(recorded[0])
    peer = await Peer(port, version=version).open()
    await ask(peer)
    peer.send(CurrentTimeRequest())
    assert await peer.at_end() == b""
    await peer.close()
    assert [one.expected for one in served.departures] == ["nothing more"]


async def test_lenient_serves_other_ids_and_another_order(
    recorded: tuple[Path, list[bytes]], serve: Serve, version: int
) -> None:
    served, port = await serve(recorded[0], strict=False)
    peer = await Peer(port, version=version).open()
    peer.send(ContractDataRequest(1008, QQQ))
    first = await peer.until(ContractData)
    assert (first.req_id, first.contract.symbol) == (1008, "QQQ")
    assert (await peer.until(ContractDataEnd)).req_id == 1008
    peer.send(ContractDataRequest(1007, SPY))
    second = await peer.until(ContractData)
    assert (second.req_id, second.contract.symbol) == (1007, "SPY")
    peer.send(PositionsRequest())
    await peer.until(PositionEnd)
    await peer.close()
    assert served.departures == []


async def test_lenient_notes_what_was_never_recorded_and_what_never_came(
    recorded: tuple[Path, list[bytes]], serve: Serve, version: int
) -> None:
    served, port = await serve(recorded[0], strict=False)
    peer = await Peer(port, version=version).open()
    peer.send(CurrentTimeRequest())
    peer.send(PositionsRequest())
    await peer.until(PositionEnd)
    await peer.close()
    await served.all_served.wait()
    unknown, *missing = served.departures
    assert unknown.came == "CurrentTimeRequest()"
    assert [one.came for one in missing] == ["nothing: the client closed"] * 2


async def test_a_client_of_other_versions_is_told_apart(
    recorded: tuple[Path, list[bytes]], serve: Serve, version: int
) -> None:
    served, port = await serve(recorded[0])
    hello = f"v{version + 1}..{version + 9}".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"API\0" + frame(hello))
    assert await reader.read(-1) == b""
    writer.close()
    assert str(version) in str(served.departures[0])


async def test_one_connection_more_than_recorded_is_a_departure(
    recorded: tuple[Path, list[bytes]], serve: Serve, version: int
) -> None:
    served, port = await serve(recorded[0])
    first = await Peer(port, version=version).open()
    second = Peer(port, version=version)
    with pytest.raises(AssertionError, match="closed"):
        await second.open()
    assert served.departures[-1].expected == "no further session"
    await first.close()


HELLO = '{"session": 1, "t": 0, "from": "client", "hello": "v100..176"}\n'
HEAD = '{"tws_recording": 1, "started": "x", "redacted": true}\n'


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "no JSON"),
        ("{}\n", 1, "tws_recording"),
        ('{"tws_recording": 2}\n', 1, "format 1"),
        (HEAD + "[]\n", 2, "no JSON object"),
        (HEAD + HELLO[:20], 2, "cut off"),
        (HEAD + HELLO.replace("0,", '"soon",'), 2, "field t"),
        (HEAD + HELLO.replace('"session": 1', '"session": -1'), 2, "field session"),
        (HEAD + HELLO.replace("client", "nobody"), 2, "field from"),
        (HEAD + '{"session": 1, "t": 0, "from": "tws", "fields": ["a"]}\n', 2, "field hello"),
        (HEAD + HELLO + '{"session": 1, "t": 0, "from": "client", "fields": ["71"]}\n', 3, "field from"),
        (HEAD + HELLO + '{"session": 1, "t": 0, "from": "tws", "fields": [1]}\n', 3, "field fields"),
        (HEAD + HELLO + '{"session": 1, "t": 0, "from": "tws"}\n', 3, "field fields"),
        (HEAD + HELLO + '{"session": 1, "t": 0, "from": "tws", "id": 205, "body": "!"}\n', 3, "field body"),
        (HEAD + HELLO + '{"session": 1, "t": 0, "mark": "sneezed"}\n', 3, "field mark"),
    ],
)
def test_a_broken_file_names_line_and_field(tmp_path: Path, text: str, line: int, word: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read(path)
    assert raised.value.line == line
    assert word in raised.value.reason


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read(tmp_path / "none.jsonl")


async def test_a_session_that_never_got_an_answer_can_be_read_but_not_served(
    tmp_path: Path, serve: Serve
) -> None:
    path = tmp_path / "short.jsonl"
    path.write_text(HEAD + HELLO, encoding="utf-8")
    served, port = await serve(path)
    with pytest.raises(AssertionError, match="closed"):
        await Peer(port, version=176).open()
    assert served.departures[0].expected == "a whole handshake"


async def trade(peer: Peer, market_id: int, orders: tuple[int, int]) -> list[Answer]:
    """An order, a request that is refused, and a child of the order."""
    parent, child = orders
    heard = [codec.decode_answer(payload, peer.session.server_version) for payload in peer.payloads]
    account = next(m for m in heard if isinstance(m, ManagedAccounts)).accounts_list.split(",")[0]
    buy = WireOrder(action="BUY", total_quantity=Decimal(5), order_type="MKT", account=account)
    peer.send(PlaceOrderRequest(parent, SPY, buy))
    said: list[Answer] = [await peer.until(OpenOrder), await peer.until(ExecutionDetails)]
    peer.send(MarketDataRequest(market_id, replace(SPY, symbol="NOSUCH")))
    error = await peer.until(ErrorMessage)
    while error.id < 0:  # of a farm
        error = await peer.until(ErrorMessage)
    stop = replace(buy, action="SELL", order_type="STP", aux_price=1.0, parent_id=parent)
    peer.send(PlaceOrderRequest(child, SPY, stop))
    opened = await peer.until(OpenOrder)
    while opened.order_id == parent:  # said again when it was filled
        opened = await peer.until(OpenOrder)
    return [error, *said, opened]


async def test_orders_and_requests_count_apart(
    proxy: tuple[Proxy, int], broker: SimulatedTWS, serve: Serve, version: int
) -> None:
    broker.quote("SPY", bid=100.0, ask=100.02)
    peer = await Peer(proxy[1], version=version).open()
    await trade(peer, 1, (1, 2))  # a request and an order of the same id
    await peer.close()
    await proxy[0].stop()
    served, port = await serve(proxy[0].options.path, strict=False)
    peer = await Peer(port, version=version).open()
    error, opened, filled, child = await trade(peer, 50, (71, 72))
    await peer.close()
    assert isinstance(error, ErrorMessage) and (error.id, error.error_code) == (50, 200)
    assert isinstance(opened, OpenOrder) and opened.order_id == 71
    assert isinstance(filled, ExecutionDetails) and filled.execution.order_id == 71
    assert isinstance(child, OpenOrder) and (child.order_id, child.order.parent_id) == (72, 71)
    assert served.departures == []
