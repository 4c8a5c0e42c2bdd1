"""The data farms: one event for a change, none for what is said again."""

from __future__ import annotations

import asyncio

import pytest
from tests.connection.kept import House

from tws.connection.keeping.events import EventKind, Severity
from tws.connection.keeping.farms import FARM_CODES, Farm, Farms

OK = "Market data farm connection is OK:usfarm"


@pytest.mark.parametrize(
    ("code", "text", "farm"),
    [
        (2104, OK, Farm("usfarm", "market data", "ok")),
        (2103, "Market data farm connection is broken:usfarm", Farm("usfarm", "market data", "broken")),
        (2119, "Market data farm is connecting:usfarm.nj", Farm("usfarm.nj", "market data", "connecting")),
        (
            2108,
            "Market data farm connection is inactive but should be available upon demand.usopt",
            Farm("usopt", "market data", "on demand"),
        ),
        (2106, "HMDS data farm connection is OK:ushmds", Farm("ushmds", "history", "ok")),
        (2157, "Sec-def data farm connection is broken:secdefnj", Farm("secdefnj", "definitions", "broken")),
        (2104, "", Farm("market data", "market data", "ok")),
    ],
)
def test_a_line_names_its_farm(code: int, text: str, farm: Farm) -> None:
    farms = Farms()
    assert farms.hear(code, text) == farm
    assert farms.hear(code, text) is None, "said again"
    assert farms.known == {farm.name: farm}
    assert farms.broken == ((farm,) if farm.broken else ())


def test_every_code_of_a_farm_has_its_condition() -> None:
    assert {code for code, (_, how) in FARM_CODES.items() if how == "broken"} == {2103, 2105, 2157}


def test_what_was_so_before_a_reconnect_is_no_news_after_it() -> None:
    farms = Farms()
    farms.hear(2104, OK)
    farms.clear()
    assert farms.known == {}, "in this session nothing was said yet"
    assert farms.hear(2104, OK) is None
    assert list(farms.known) == ["usfarm"]
    farms.hear(2103, OK.replace("OK", "broken"))
    farms.clear()
    assert farms.hear(2104, OK) is not None, "it came back meanwhile"


def test_a_farm_that_flaps_is_one_event_for_each_change() -> None:
    async def scene(house: House) -> None:
        start = len(house.events(EventKind.FARM))
        for kind in ("market", "hmds", "secdef"):
            house.sim.faults.play("farm-flap", kind=kind, lasts="5s")
            house.sim.faults.play("farm-flap", kind=kind, lasts="5s")  # each line comes twice
        await asyncio.sleep(1)
        assert {farm.name for farm in house.connection.farms if farm.broken} == {
            *("usfarm", "ushmds", "secdefil")
        }
        await asyncio.sleep(10)
        assert not any(farm.broken for farm in house.connection.farms)
        told = [(event.code, event.severity) for event in house.events(EventKind.FARM)[start:]]
        assert sorted(told) == sorted(
            [(code, Severity.WARNING) for code in (2103, 2105, 2157)]
            + [(code, Severity.INFO) for code in (2119, 2104, 2119, 2104, 2106, 2158)]
        )

    House().run(scene)


def test_a_reconnect_says_nothing_of_farms_that_are_as_they_were() -> None:
    async def scene(house: House) -> None:
        start = len(house.events(EventKind.FARM))
        house.sim.faults.play("cut")
        await house.until_session(2)
        assert house.connection.farms
        assert house.events(EventKind.FARM)[start:] == []

    House().run(scene)
