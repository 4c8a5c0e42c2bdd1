"""Where a client differs by its own code, found in its source: listed, never worked around in the simulator.

A listed deviation must still happen: when a client is mended, the run fails until its row is gone.
"""

from __future__ import annotations

__all__ = ["DEVIATIONS", "reason_of"]

DEVIATIONS: dict[tuple[str, str], str] = {}
"""(client, scenario): what the client's own code does."""


def reason_of(client: str, scenario: str) -> str | None:
    """Why this client deviates in this scenario; None when it should not."""
    return DEVIATIONS.get((client, scenario))
