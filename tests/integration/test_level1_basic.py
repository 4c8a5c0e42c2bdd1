"""Level `basic`: a session opens, answers, ends cleanly and opens again. Nothing is ordered.

python -m pytest tests/integration -m basic
"""

from __future__ import annotations

import pytest
from tests.integration.levels import Met, open_or_fail

from tws.connection import ConnectionState, TWSConnection

pytestmark = pytest.mark.basic


async def test_the_clock_goes_forward(connection: TWSConnection) -> None:
    first = await connection.request_current_time()
    second = await connection.request_current_time()
    assert first <= second


async def test_the_accounts_that_are_asked_for_are_those_of_the_session(connection: TWSConnection) -> None:
    assert await connection.request_managed_accounts() == connection.accounts != ()


async def test_order_ids_are_given_once_and_never_below_what_tws_names(connection: TWSConnection) -> None:
    reserved = connection.get_next_order_id()
    first = await connection.request_next_order_id(3)
    after = connection.get_next_order_id()
    assert reserved is not None and after is not None
    assert reserved < first < first + 2 < after


async def test_the_books_are_told_at_the_start(connection: TWSConnection) -> None:
    """Executions, orders and positions have been asked for: that is what READY means."""
    assert connection.state is ConnectionState.READY
    assert {row.account for row in connection.broker.positions} <= set(connection.accounts)


async def test_a_session_ends_cleanly_and_begins_again_on_the_same_id(
    met: Met, connection: TWSConnection
) -> None:
    taken = connection.get_next_order_id()
    connection.disconnect()
    await connection.wait_closed()
    assert not connection.is_connected()
    assert connection.state is ConnectionState.CLOSED

    await open_or_fail(connection)
    assert connection.session == 2
    assert connection.config.client_id == met.config.client_id
    again = connection.get_next_order_id()
    assert taken is not None and again is not None
    assert again > taken, "the second session gave an id of the first one again"
