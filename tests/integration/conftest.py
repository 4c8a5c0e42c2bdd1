"""The levels of the integration tests: the TWS that they meet, a connection to it, and what it said.

Before the first contact with a real TWS its host, port, account (masked) and mode are printed, whatever
pytest captures; what TWS said on the way (delayed data, a missing permission) stands in a section at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.levels import Met, connect, named_tws

from tws.config import TWSConfig
from tws.connection import TWSConnection
from tws.simulator import SimulatedTWS, SimulatorOptions

NOTES = pytest.StashKey[list[str]]()
MEETINGS = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOTES] = []
    config.stash[MEETINGS] = set()


@pytest.fixture
async def met(may_meet_tws: bool, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Met]:
    """The user's TWS when he names one and means it, else a simulated one on a free port."""
    named = named_tws() if may_meet_tws else None
    journal = tmp_path / "guard.sqlite3"
    if named is not None:
        meeting = Met(named, True, journal, request.config.stash[NOTES])
        announce(meeting.header, request.config)
        yield meeting
        return
    simulator = SimulatedTWS(SimulatorOptions(speed=10.0))
    host, port = await simulator.start()
    try:
        meeting = Met(TWSConfig(host=host, port=port, client_id=999), False, journal, [])
        print(f"\n{meeting.header}")
        yield meeting
    finally:
        await simulator.stop()


@pytest.fixture
async def connection(met: Met) -> AsyncIterator[TWSConnection]:
    """A connection that is ready and synchronised; it is closed cleanly."""
    made = await connect(met)
    try:
        yield made
    finally:
        made.disconnect()
        await made.wait_closed()


def announce(header: str, config: pytest.Config) -> None:
    """Say once, past pytest's capture, who is about to be met."""
    if header in config.stash[MEETINGS]:
        return
    config.stash[MEETINGS].add(header)
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        print(f"\n{header}", flush=True)
        return
    with capture.global_and_fixture_disabled():
        print(f"\n{header}", flush=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    config = terminalreporter.config
    if config.stash[NOTES]:
        terminalreporter.section("what TWS said")
        for line in dict.fromkeys(config.stash[NOTES]):
            terminalreporter.write_line(line)
