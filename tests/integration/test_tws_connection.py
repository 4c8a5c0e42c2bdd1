"""The first thing a user runs: can we reach TWS, and does it answer?

    FILE=tests/integration/test_tws_connection.py
    python -m pytest $FILE::TestTWSConnection::test_tws_connection_creation -v
    python -m pytest $FILE::TestTWSConnection::test_tws_connection_to_live_tws -v

The second meets the TWS of TWS_HOST and TWS_PORT, when one of them is set (in the environment, or in a
.env file of the working directory) and this file is named on the command line as above; else a simulated
TWS that the test starts. It only reads: the time, the accounts, the next order id. Add -s to see it talk.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tws.config import TWSConfig, mask_account
from tws.config.dotenv import read_env_file
from tws.connection import TWSConnection
from tws.errors import ConfigError
from tws.simulator import SimulatedTWS, SimulatorOptions

TWS_CLOCK_BOUND_S = (
    24 * 3600
)  # a day apart means that we misread the answer; less is the computer's own affair


class TestTWSConnection:
    """Basic level: creation, connection, time, accounts. Nothing is ordered."""

    def test_tws_connection_creation(self) -> None:
        """A connection can be made without a TWS, and does nothing until it is told."""
        config = TWSConfig(host="127.0.0.1", port=7497, client_id=999, connection_timeout=5.0)
        connection = TWSConnection(config)

        assert not connection.is_connected()
        assert connection.get_next_order_id() is None
        connection.disconnect()
        connection.disconnect()
        assert not connection.is_connected()

    def test_tws_connection_to_live_tws(self, may_meet_tws: bool) -> None:
        """Connect, ask for time, accounts and the next order id, and part cleanly."""
        config = named_tws() if may_meet_tws else None
        asyncio.run(on_simulator() if config is None else basic_level(config, "TWS"))


def named_tws() -> TWSConfig | None:
    """The TWS that the user names, or None. A wrong setting fails the test with its cure."""
    try:
        in_file = read_env_file(Path(".env")) if Path(".env").is_file() else {}
        # As from_env reads it: an empty variable counts as not set.
        if not any(os.environ.get(name) or name in in_file for name in ("TWS_HOST", "TWS_PORT")):
            return None
        return TWSConfig.from_env().validate()
    except ConfigError as wrong:
        pytest.fail(str(wrong), pytrace=False)


async def on_simulator() -> None:
    """The same against a simulated TWS on a free port."""
    simulator = SimulatedTWS(SimulatorOptions(host="127.0.0.1", port=0))
    host, port = await simulator.start()
    try:
        await basic_level(TWSConfig(host=host, port=port, client_id=999), "simulated TWS")
    finally:
        await simulator.stop()


async def basic_level(config: TWSConfig, what: str) -> None:
    """What every TWS must answer to a client that only reads."""
    print(
        f"\n{what}: host {config.host}, port {config.port}, client id {config.client_id}, "
        f"account {mask_account(config.account_id)}, mode {config.trading_mode}"
    )
    connection = TWSConnection(config)
    try:
        if not await connection.connect():
            failure = connection.failure
            assert failure is not None, "connect() answered False without saying why"
            pytest.fail(f"{failure.stage}: {failure.cause}\nCure: {failure.cure}", pytrace=False)
        assert connection.is_connected()

        time = await connection.request_current_time()
        accounts = await connection.request_managed_accounts()
        order_id = connection.get_next_order_id()
        print(f"server time {time:%Y-%m-%d %H:%M:%S} UTC, accounts {', '.join(map(mask_account, accounts))}")

        assert time.tzinfo is not None
        if what == "TWS":  # a simulated market has a day of its own
            assert abs((datetime.now(UTC) - time).total_seconds()) < TWS_CLOCK_BOUND_S
        assert accounts
        assert not config.account_id or config.account_id in accounts, (
            f"TWS does not serve the account {mask_account(config.account_id)} of TWS_ACCOUNT"
        )
        assert order_id is not None
        assert connection.get_next_order_id() != order_id, "an order id was given twice"
    finally:
        connection.disconnect()
    assert not connection.is_connected()
