"""A simulated TWS of a live account, and a run on it that is unlocked."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.flight import Flight
from tests.runtime.scene import Scene

from tws.clock import NS_PER_S
from tws.config import load_settings
from tws.runtime.fingerprint import code_fingerprint, settings_fingerprint
from tws.runtime.plan import plan_run
from tws.safety import SafetyFile, Unlock
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits

__all__ = ["LIMITS", "LIVE", "LiveScene", "enter_live", "unlock"]

LIVE = "U1234567"
LIMITS = 'max_order_quantity = 100\nmax_position = 100\nallow = ["SPY"]\nduplicate_window_s = 0.001\n'


class LiveScene(Scene):
    """The same market on a live account."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.sim = SimulatedTWS(
            SimulatorOptions(market=self.market(), limits=SimLimits.off(), accounts=(LIVE,))
        )


def enter_live(flight: Flight) -> Flight:
    """Its configuration means the live account, within LIMITS."""
    text = flight.path.read_text(encoding="utf-8")
    live = f'account_id = "{LIVE}"\ntrading_mode = "live"\n[risk]\n{LIMITS}'
    flight.path.write_text(text.replace("[risk]\n", live, 1), encoding="utf-8")
    return flight


def unlock(flight: Flight) -> None:
    """As `tws unlock` writes it once the evidence is there (tests/crash/test_live.py earns it)."""
    plan = plan_run(load_settings(flight.path), flight.path, flight.folder / "state", flight.scene.journal)
    now_ns = flight.scene.sim.now_ns()
    with SafetyFile(plan.place.safety) as safety:
        safety.unlock(
            Unlock(
                account=LIVE, until_ns=now_ns + 3600 * NS_PER_S, at_ns=now_ns, operator="ann", evidence=(),
                code=code_fingerprint(), settings=settings_fingerprint(plan.settings),
            )
        )  # fmt: skip
