"""A simulated TWS for a test suite: two lines, whatever client the tested program uses.

    def test_my_bot(simulated_tws):                       # pytest: the fixture comes with the installation
        my_bot.run(host=simulated_tws.host, port=simulated_tws.port)

    with HostedTWS() as tws:                              # anything else
        my_bot.run(host=tws.host, port=tws.port)

The simulated TWS runs on a thread of its own, so a test may block, use threads, or be a coroutine. Its
market stands still until the test speaks for it (`quote`, `trade`), and what the broker knows is open to
assertions. `tws.testing.plugin` holds the fixtures; `tws.testing.hosted` the thing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tws.testing.hosted import HostedTWS

__all__ = ["HostedTWS"]


def __getattr__(name: str) -> Any:
    # late: the plugin below this package is imported by every run of pytest, the simulator by few
    if name == "HostedTWS":
        from tws.testing.hosted import HostedTWS

        return HostedTWS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
