"""Market depth: the book is what the steps make of it, and begins anew when TWS says so."""

from __future__ import annotations

import pytest
from tests.connection.peers import RecorderServer, config_of, unkept, until

from tws.connection import TWSConnection
from tws.connection.streaming.depthstream import DepthStream
from tws.connection.streaming.streams import Reroute
from tws.errors import RequestError
from tws.model.contract import Contract, stock
from tws.model.depth import DepthChange, DepthOperation
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.messages import CancelMarketDepth, MarketDepth, MarketDepthRequest, RerouteMarketDepthRequest

SPY = stock("SPY")
ARCA = stock("SPY", exchange="ARCA")


def rebuilt(changes: list[DepthChange]) -> tuple[list[float], list[float]]:
    """The prices of a book that a reader makes of the steps alone."""
    book = DepthStream(SPY, lambda *call: None, 5)
    for change in changes:
        if change.operation is DepthOperation.RESET:
            book.reset()
        else:
            book.step(change, 0)
    assert book.misplaced == 0
    return [level.price for level in book.bids], [level.price for level in book.asks]


def is_sound(stream: DepthStream) -> bool:
    bids, asks = ([level.price for level in side] for side in (stream.bids, stream.asks))
    return bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]


@pytest.mark.parametrize(("contract", "smart"), [(SPY, True), (ARCA, False), (stock("SPY", "NASDAQ"), False)])
async def test_a_book(tws: SimulatedTWS, client: TWSConnection, contract: Contract, smart: bool) -> None:
    tws.quote("SPY", bid=100.00, ask=100.02)
    changes: list[DepthChange] = []
    async with client.stream_depth(contract, 4, smart=smart) as stream:
        stream.on_tick(changes.append)
        await until(lambda: len(stream.bids) == len(stream.asks) == 4)
        assert (stream.bids[0].price, stream.asks[0].price) == (100.00, 100.02)
        assert is_sound(stream) and all(level.size > 0 for level in (*stream.bids, *stream.asks))
        assert bool(stream.bids[0].maker) is (smart or contract.exchange == "NASDAQ")
        for cents in (1, 2, 1, 0, 5):
            best = round(100 + cents / 100, 2), round(100.02 + cents / 100, 2)
            tws.quote("SPY", bid=best[0], ask=best[1])
            await client.request_current_time()
            assert (stream.bids[0].price, stream.asks[0].price) == best
            assert is_sound(stream)
        assert rebuilt(changes) == (
            [level.price for level in stream.bids], [level.price for level in stream.asks]
        )  # fmt: skip
        assert (await anext(stream)) == changes[0]


async def test_a_reset_empties_the_book(tws: SimulatedTWS, client: TWSConnection) -> None:
    tws.quote("SPY", bid=100.00, ask=100.02)
    stream = client.stream_depth(ARCA, 3)
    changes: list[DepthChange] = []
    stream.on_tick(changes.append)
    await until(lambda: len(stream.asks) == 3)
    tws.core.desk.streams.new_day()
    tws.core.flush()
    await until(lambda: DepthOperation.RESET in [change.operation for change in changes])
    await until(lambda: len(stream.asks) == len(stream.bids) == 3)
    assert stream.notice is not None and stream.notice[0] == 317 and stream.failure is None
    assert rebuilt(changes)[0] == [level.price for level in stream.bids]
    client._engine.answers.subscriptions.renew_all()
    assert stream.bids == [] == stream.asks
    await until(lambda: len(stream.asks) == len(stream.bids) == 3)
    assert rebuilt(changes)[1] == [level.price for level in stream.asks]
    assert [gap.cause for gap in stream.gaps] == ["renewed"]


async def test_refusals(client: TWSConnection) -> None:
    with pytest.raises(RequestError) as caught:
        await anext(client.stream_depth(SPY))  # SMART, and not as a smart book
    assert caught.value.code == 10092
    with pytest.raises(ValueError, match="at least one"):
        client.stream_depth(SPY, 0)


async def test_strange_steps(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream = connection.stream_depth(SPY, 5, smart=True)
        peer, number = recorder.clients[0], stream.request_id
        peer.say(MarketDepth(number, 3, 0, 1, 9.0, None))  # far behind the book's end
        peer.say(MarketDepth(number, 0, 2, 1, 0.0, None))  # nothing to delete
        peer.say(MarketDepth(number, 0, 7, 1, 9.0, None))  # an operation of a newer TWS
        peer.say(MarketDepth(number, 0, 1, 0, 10.0, None))  # an update as a level's first word
        peer.say(RerouteMarketDepthRequest(number, 8314, "NYSE"))
        await until(lambda: stream.reroute)
        assert (stream.misplaced, stream.bids, [level.price for level in stream.asks]) == (3, [], [10.0])
        assert stream.reroute == Reroute(8314, "NYSE")
        stream.close()
        await recorder.caught_up(connection)
        asked, ended = (codec.decode_request(payload, 200) for payload in recorder.payloads)
        assert isinstance(asked, MarketDepthRequest) and asked.is_smart_depth and asked.num_rows == 5
        assert ended == CancelMarketDepth(number, True)
