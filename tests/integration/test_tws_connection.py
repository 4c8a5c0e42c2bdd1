"""The first thing a user runs: can we reach TWS, and does it answer?

    FILE=tests/integration/test_tws_connection.py
    python -m pytest $FILE::TestTWSConnection::test_tws_connection_creation -v
    python -m pytest $FILE::TestTWSConnection::test_tws_connection_to_live_tws -v

The second meets the TWS of TWS_HOST and TWS_PORT, when one of them is set (in the environment, or in a
.env file of the working directory) and this file is named on the command line as above; else a simulated
TWS that the test starts. It only reads: the time, the accounts, the next order id. Add -s to see it talk.

All levels: docs/testing-on-a-real-tws.md.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.integration.levels import Met, connect

from tws.config import TWSConfig, mask_account
from tws.connection import TWSConnection

pytestmark = pytest.mark.basic

TWS_CLOCK_BOUND_S = (
    24 * 3600
)  # a day apart means that we misread the answer; less is the computer's own affair


class TestTWSConnection:
    """Creation, connection, time, accounts. Nothing is ordered."""

    def test_tws_connection_creation(self) -> None:
        """A connection can be made without a TWS, and does nothing until it is told."""
        config = TWSConfig(host="127.0.0.1", port=7497, client_id=999, connection_timeout=5.0)
        connection = TWSConnection(config)

        assert not connection.is_connected()
        assert connection.get_next_order_id() is None
        connection.disconnect()
        connection.disconnect()
        assert not connection.is_connected()

    async def test_tws_connection_to_live_tws(self, met: Met) -> None:
        """Connect, ask for time, accounts and the next order id, and part cleanly."""
        connection = await connect(met)
        try:
            time = await connection.request_current_time()
            accounts = await connection.request_managed_accounts()
            order_id = connection.get_next_order_id()
            named = ", ".join(map(mask_account, accounts))
            print(f"server time {time:%Y-%m-%d %H:%M:%S} UTC, accounts {named}")

            if met.real:  # a simulated market has a day of its own
                assert abs((datetime.now(UTC) - time).total_seconds()) < TWS_CLOCK_BOUND_S
            assert accounts
            account = met.config.account_id
            assert not account or account in accounts, (
                f"TWS does not serve the account {mask_account(account)} of TWS_ACCOUNT"
            )
            assert order_id is not None
            assert connection.get_next_order_id() != order_id, "an order id was given twice"
        finally:
            connection.disconnect()
            await connection.wait_closed()
        assert not connection.is_connected()
