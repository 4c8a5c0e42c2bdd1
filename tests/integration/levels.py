"""What the levels of the integration tests share: which TWS they meet, and what they say when they can't.

A TWS is met when TWS_HOST or TWS_PORT names one and the person who runs the tests has named this folder, or
a file of it, on the command line (`may_meet_tws`); else each test gets a simulated TWS of its own. Nothing
here opens a socket but a full session by `tws.connection`, closed cleanly (TWS-BEHAVIOUR.md A5).
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tws.config import TWSConfig, mask_account
from tws.config.dotenv import read_env_file
from tws.connection import TWSConnection
from tws.errors import ConfigError, ConnectError
from tws.monitor.doctor import Finding
from tws.monitor.doctor.examine import diagnose

__all__ = ["Met", "connect", "named_tws", "orders_allowed"]

WAIT_S = 30.0
"""What TWS gets to tell its books: a second, and some more behind a slow link."""


@dataclass(frozen=True)
class Met:
    """The TWS that a test meets: the user's own (`real`), or a simulated one. `notes` take what TWS said."""

    config: TWSConfig
    real: bool
    journal: Path
    notes: list[str]

    @property
    def header(self) -> str:
        """Who is met, as the first thing that is said of it."""
        config = self.config
        return (
            f"{'TWS' if self.real else 'simulated TWS'}: host {config.host}, port {config.port}, "
            f"client id {config.client_id}, account {mask_account(config.account_id)}, "
            f"mode {config.trading_mode}"
        )

    def note(self, text: str) -> None:
        """Something that TWS said, for the summary at the end."""
        self.notes.append(text)
        print(text)


def setting(name: str) -> str:
    """A variable of the environment or of a .env file of the working directory, as `from_env` takes it."""
    in_file = read_env_file(Path(".env")) if Path(".env").is_file() else {}
    # An empty variable counts as not set.
    return os.environ.get(name, "").strip() or (in_file[name].text if name in in_file else "")


def named_tws() -> TWSConfig | None:
    """The TWS that the user names, or None. A wrong setting fails the test with its cure."""
    try:
        if not any(setting(name) for name in ("TWS_HOST", "TWS_PORT")):
            return None
        return TWSConfig.from_env().validate()
    except ConfigError as wrong:
        pytest.fail(str(wrong), pytrace=False)


def orders_allowed() -> bool:
    """Whether the user has said that his paper account may be traded by these tests."""
    return setting("TWS_ENABLE_ORDER_TESTS").lower() == "true"


async def connect(met: Met, **options: Any) -> TWSConnection:
    """A connection that is ready and synchronised, or a failed test with the doctor's cause and cure.

    `options` are those of `TWSConnection`. Whoever asks closes it.
    """
    connection = TWSConnection(met.config, **{"journal": met.journal} | options)
    await open_or_fail(connection)
    return connection


async def open_or_fail(connection: TWSConnection) -> None:
    """Open a session and synchronise it, or fail with the doctor's cause and cure."""
    if not await connection.connect():
        failure = connection.failure
        assert failure is not None, "connect() answered False without saying why"
        await fail_with_cause(connection.config, failure)
    try:
        await asyncio.wait_for(connection.wait_ready(), WAIT_S)
    except TimeoutError:
        pytest.fail(f"not synchronised within {WAIT_S:g} s: {connection.state.value}", pytrace=False)


async def fail_with_cause(config: TWSConfig, failure: ConnectError) -> NoReturn:
    """What the doctor finds; what the connection itself has said when he finds nothing (any more)."""
    report = await diagnose(config)
    found = report.findings or (Finding("", f"connection: {failure.stage}", failure.cause, failure.cure),)
    lines = [f"{each.stage}: {each.cause}\nCure: {each.cure}" for each in found]
    pytest.fail("no session.\n" + "\n".join(lines), pytrace=False)
