"""TWS takes no order id below the highest one used (103): what an exit overtakes is refused here, unsent."""

from __future__ import annotations

import asyncio

from tests.connection.kept import SPY, House, buy

from tws.errors import OrderDeniedError


def test_new_orders_that_an_exit_has_overtaken_are_refused_before_a_byte_leaves() -> None:
    async def scene(house: House) -> None:
        connection = house.connection
        told: list[int] = []
        connection.facts(lambda fact: told.append(getattr(fact, "code", 0)))
        entries = [connection.place_order(SPY, buy("90", f"e{n}", 1)) for n in range(60)]
        waiting = len(connection.outbound)
        assert 0 < waiting < 60, "TWS's message rate holds some back"
        exit_ = connection.place_order(SPY, buy("91", "exit", 1), urgent=True)
        await exit_
        refused = 0
        for entry in entries:
            try:
                await entry
            except OrderDeniedError as denied:
                assert denied.limit == "order_id"
                refused += 1
        assert refused == waiting and not len(connection.outbound)
        await asyncio.sleep(30)
        assert 103 not in told

    House().run(scene)
