"""The simulated TWS whose market is moved by hand, and traders on it, as the runtime's tests have them."""

from __future__ import annotations

from tests.runtime.conftest import scene

__all__ = ["scene"]
