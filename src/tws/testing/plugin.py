"""The pytest plugin: `simulated_tws` in any test suite whose environment has this framework.

    def test_my_bot(simulated_tws):
        simulated_tws.quote("SPY", bid=100.00, ask=100.02)

    @pytest.mark.simulated_tws(read_only=True, accounts=("DU1", "U2"))
    def test_against_another_tws(simulated_tws): ...

It is loaded into every run of pytest in that environment, so it imports nothing until a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tws.testing.hosted import HostedTWS

__all__ = ["new_simulated_tws", "pytest_configure", "simulated_tws"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "simulated_tws(**options): options of the simulated TWS that this test gets"
    )


@pytest.fixture
def new_simulated_tws() -> Iterator[Callable[..., HostedTWS]]:
    """Start as many simulated TWSs as a test wants: `new_simulated_tws(server_version=176)`.

    Keywords are those of `tws.testing.HostedTWS`. All are stopped when the test ends.
    """
    from tws.testing.hosted import HostedTWS

    started: list[HostedTWS] = []

    def start(**options: Any) -> HostedTWS:
        hosted = HostedTWS(**options).start()
        started.append(hosted)
        return hosted

    yield start
    failures = []
    for hosted in reversed(started):
        try:
            hosted.stop()
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]


@pytest.fixture
def simulated_tws(
    request: pytest.FixtureRequest, new_simulated_tws: Callable[..., HostedTWS]
) -> HostedTWS:
    """A simulated TWS of this test's own, on a free port of 127.0.0.1, its market silent until told.

    `@pytest.mark.simulated_tws(...)` gives it options.
    """
    mark = request.node.get_closest_marker("simulated_tws")
    return new_simulated_tws(**(mark.kwargs if mark is not None else {}))
