"""What a file says of its connection holds for a run: the pace of what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tws.model.contract import stock


@pytest.mark.slow
@pytest.mark.parametrize(("more", "waits"), [("[connection.pacing]\nmessages_per_s = 5", True), ("", False)])
async def test_the_pace_of_the_file_holds(fly: Callable[..., Any], more: str, waits: bool) -> None:
    flight = await fly(more=more)
    connection = flight.trader.connection
    asked = [asyncio.ensure_future(connection.request_contract(stock(f"NO{each}"))) for each in range(15)]
    await asyncio.sleep(0)
    assert bool(connection.waiting_requests) is waits
    await asyncio.gather(*asked, return_exceptions=True)
