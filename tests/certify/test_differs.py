"""A difference that was planted in a TWS is named, in the scenario, at the order or request, in its kind."""

from __future__ import annotations

from collections.abc import Sequence

from tests.certify.conftest import Play, Start, differing

from tws.certify.compare import compare
from tws.certify.normal import Item, item_of
from tws.certify.threads import Thread
from tws.exchange import Event, OrderOpened, StatusChanged
from tws.simulator.faults.base import Effect, Fault, When
from tws.simulator.faults.engine import Faults
from tws.wire.messages import ConfigResponse, ScannerData, ScannerDataElement, WireContract
from tws.wire.messages.settings import WireApiConfig, WireApiSettings

SOON = {"patience_s": 0.5}


class StatusFirst(Fault, frozen=True, kw_only=True):
    """Every orderStatus comes before the openOrder of its pair. No TWS is known to do so."""

    def begin(self, faults: Faults) -> Effect:
        return _Swaps()


class _Swaps(Effect):
    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        said: list[Event] = []
        for event in events:
            follows = bool(said) and isinstance(said[-1], OrderOpened) and isinstance(event, StatusChanged)
            said.insert(len(said) - follows, event)
        return said


async def test_a_fill_without_its_fee(start: Start, play: Play) -> None:
    tws = await start()
    tws.faults.play("late-commission", delay=0, count=1)
    name = "a limit order beyond the market is filled"
    found = differing(await play(tws, name, **SOON))
    assert list(found) == [name]
    assert "extra: the simulator says CommissionAndFeesReport, TWS does not" in found[name]
    assert any(
        line.startswith("ended: ") and "TWS: no CommissionAndFeesReport" in line for line in found[name]
    )


async def test_two_messages_in_another_order(start: Start, play: Play) -> None:
    tws = await start(server_version=200)
    tws.faults.enter(StatusFirst(), When())
    name = "a limit order rests and is cancelled"
    found = differing(await play(tws, name, **SOON))
    assert list(found) == [name]
    line = found[name][0]
    assert line.startswith("order: TWS says > PlaceOrderRequest → OrderStatus (PreSubmitted) → OpenOrder")
    assert "the simulator says > PlaceOrderRequest → OpenOrder" in line


async def test_another_code(start: Start, play: Play) -> None:
    tws = await start()
    tws.faults.play("answer-error", request="MarketDataRequest", code=321, text="Something else.")
    name = "data of an unknown contract: 200"
    found = differing(await play(tws, name, **SOON))
    assert found == {name: ["code: ErrorMessage: error_code is 321 at TWS and 200 at the simulator"]}


async def test_a_refusal_that_never_comes(start: Start, play: Play) -> None:
    tws = await start(server_version=176)
    tws.faults.play("swallow", request="HistoricalDataRequest")
    name = "no data at that time: 162"
    found = differing(await play(tws, name, **SOON))
    assert found[name][0] == "extra: the simulator says ErrorMessage (162), TWS does not"


async def test_an_order_that_was_changed_by_a_preset(start: Start, play: Play) -> None:
    tws = await start()
    tws.faults.play("preset-change", tif="DAY")
    name = "an order that is good till cancelled"
    found = differing(await play(tws, name, **SOON))
    said = " ".join(found[name])
    assert "order.tif is DAY at TWS and GTC at the simulator" in said
    assert "TWS says ErrorMessage (10349), the simulator does not" in said


async def test_a_status_on_the_way_is_noted_not_judged(start: Start, play: Play) -> None:
    """C1: no status is promised but the last."""
    tws = await start()
    tws.faults.play("missing-status", status="PreSubmitted")
    report = await play(tws, "a limit order rests and is cancelled", **SOON)
    assert report["verdict"] == "same"
    (row,) = report["scenarios"]
    assert any("OrderStatus (PreSubmitted)" in note["text"] for note in row["notes"])


async def test_a_message_that_nobody_can_read(start: Start, play: Play) -> None:
    tws = await start(server_version=200)
    tws.faults.play("malformed-frame", message=78, kind="missing-field")
    found = differing(await play(tws, "family codes", **SOON))
    assert any(line.startswith("unreadable: of TWS: message 78: ") for line in found["family codes"]), found


def test_how_many_rows_a_message_has_is_no_difference() -> None:
    rows = [ScannerDataElement(rank=rank, contract=WireContract(symbol=f"S{rank}")) for rank in range(5)]
    many, few = (item_of(ScannerData(1, tuple(rows[:count]))) for count in (5, 2))
    assert many == few
    other = item_of(ScannerData(1, (ScannerDataElement(rank=0, contract=WireContract(sec_type="BOND")),)))
    assert other != few


def test_a_slow_tws_that_is_asked_for_the_time_meanwhile_differs_in_nothing() -> None:
    asked = Thread("bars", "CurrentTime #1", [Item("CurrentTime", (), frozenset())])
    bars = Thread("bars", "HistoricalData #1", [Item("HistoricalDataEnd", (), frozenset())])
    assert compare([bars, asked], [bars]) == compare([bars], [asked, bars]) == []
    assert [each.what for each in compare([bars, asked], [asked])] == ["asked"]


def test_the_port_on_which_a_tws_listens_is_no_difference() -> None:
    """A TWS that listens where it was not told to states none."""
    said = [
        ConfigResponse(req_id=1, api=WireApiConfig(settings=WireApiSettings(socket_port=port)))
        for port in (None, 7433)
    ]
    assert item_of(said[0]) == item_of(said[1])
