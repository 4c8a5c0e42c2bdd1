"""The scenes: for each pair of scripts in `examples/moving` what TWS does, and what is true afterwards.

A script ends with a line that says what its user believes. `truth` makes that line anew from the broker's
own books when the script has ended; where they differ, the user was told something that is not so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tws.simulator import SimulatedTWS
from tws.simulator.universe.book import Wanted

__all__ = ["DIALECTS", "REFUSED", "SCENES", "SCRIPTS", "Scene"]

SCRIPTS = Path(__file__).resolve().parents[2] / "examples" / "moving"
DIALECTS = ("ibasync", "ours")
REFUSED = "an exception with the code "
"""How a truth begins that no line can say: the program ought to have ended with that."""
VARIES = " How it ends depends on the machine's timing."


class Scene(NamedTuple):
    """One pair of scripts.

    truth    the last line that the script ought to print, or `REFUSED` and TWS's code
    speed    seconds of market time in one of the wall's
    faults   a file of `examples/moving/faults`
    bound_s  a script that runs longer is ended, and counts as hanging
    varies   how it ends depends on the machine's timing: `--check` does not hold its row against the page
    """

    name: str
    truth: Callable[[SimulatedTWS], str]
    speed: float = 5.0
    faults: str = ""
    bound_s: float = 20.0
    varies: bool = False

    def script(self, dialect: str) -> Path:
        """The program of one of the `DIALECTS`."""
        return SCRIPTS / dialect / f"{self.name}.py"

    @property
    def is_trouble(self) -> bool:
        """Whether TWS, or the user, does something wrong in it."""
        return self.name >= "20"

    @property
    def about(self) -> str:
        """The first line of its script's docstring."""
        line = self.script("ibasync").read_text("utf-8").split('"""')[1].splitlines()[0]
        return line + VARIES * self.varies


def always(line: str) -> Callable[[SimulatedTWS], str]:
    """A truth that no book is needed for."""
    return lambda sim: line


def accounts(sim: SimulatedTWS) -> str:
    day = datetime.fromtimestamp(sim.now_ns() / 1e9, UTC)
    return f"{', '.join(sim.exchange.accounts())} on {day:%A %d %B %Y}"


def holdings(sim: SimulatedTWS) -> str:
    held = [f"{sim.security(row.con_id).symbol} {row.quantity}" for row in sim.exchange.positions()]
    cash = next(
        float(row.value)
        for row in sim.exchange.account_values(sim.exchange.accounts()[0])
        if row.key == "TotalCashBalance" and row.currency == "USD"
    )
    return f"{', '.join(held)}, cash {cash:.2f}"


def identity(sim: SimulatedTWS) -> str:
    apple = sim.security("AAPL")
    name = f"{apple.primary_exchange}, {apple.long_name}"
    return f"AAPL is {apple.con_id} on {name}, steps of {float(apple.tick):g}"


def chain(sim: SimulatedTWS) -> str:
    calls = sim.core.universe.find(Wanted(symbol="SPY", sec_type="OPT", right="C"))
    return f"expiry {min(call.last_trade_date for call in calls)}, 5 calls, 5 with greeks"


def closed_at(sim: SimulatedTWS) -> str:
    return f"5 bars, 20260102 closed at {sim.core.listed(sim.security('AAPL')).close:.2f}"


def since(sim: SimulatedTWS) -> str:
    past: Any = sim.core.desk.history.past(sim.security("AAPL"))
    return f"AAPL since {datetime.fromtimestamp(past.first_s, UTC):%Y-%m-%d}"


def dealt(sim: SimulatedTWS) -> str:
    bought, sold = (_average(sim, side) for side in ("BOT", "SLD"))
    return f"bought at {bought:.2f}, sold at {sold:.2f}"


def _average(sim: SimulatedTWS, side: str) -> float:
    rows = [one.executed for one in sim.exchange.executions() if one.executed.side == side]
    return float(sum(row.price * row.quantity for row in rows) / (sum(row.quantity for row in rows) or 1))


def _ended(sim: SimulatedTWS) -> list[str]:
    return [done.order.status for done in sim.exchange.completed_orders()]


def protected(sim: SimulatedTWS) -> str:
    living = {view.ticket.order_type: view.status for view in sim.exchange.open_orders()}
    return f"entry {', '.join(_ended(sim))}, target {living.get('LMT')}, stop {living.get('STP')}"


def living(sim: SimulatedTWS) -> str:
    return "; ".join(
        f"{view.remaining} at {view.ticket.limit_price:.2f}, {view.status}"
        for view in sim.exchange.open_orders()
    )


def ends(sim: SimulatedTWS) -> str:
    return ", ".join(_ended(sim) + [view.status for view in sim.exchange.open_orders()])


def fees(sim: SimulatedTWS) -> str:
    rows = list(sim.exchange.executions())
    charged = sum(row.commission.amount for row in rows)
    return f"{sum(row.executed.quantity for row in rows)} shares, fees {charged:.2f}"


def planned(sim: SimulatedTWS) -> str:
    return f"fees of 1.00, {len(sim.exchange.open_orders()) + len(_ended(sim))} orders placed"


def gain(sim: SimulatedTWS) -> str:
    (row,) = sim.exchange.positions()
    word = "a gain" if row.unrealized_pnl > 0 else "a loss"
    return f"{sim.security(row.con_id).symbol}: {row.quantity} shares, {word}"


def filled(sim: SimulatedTWS) -> str:
    shares = sum(one.executed.quantity for one in sim.exchange.executions())
    return f"{(_ended(sim) or ['working'])[0]}, {shares} shares filled"


def placed(sim: SimulatedTWS) -> str:
    return f"quotes seen, order {', '.join(_ended(sim))}"


FLOWS = always("connected, quotes flow")

SCENES = (
    Scene("01_connect_and_time", accounts),
    Scene("02_positions_and_values", holdings, faults="held"),
    Scene("03_qualify_contracts", identity),
    Scene("04_option_chain", chain),
    Scene("05_historical_bars", closed_at),
    Scene("06_bars_kept_up_to_date", always("4 new bars, {5} seconds apart"), speed=10),
    Scene("07_head_time_stamp", since),
    Scene("08_live_quotes", always("10 quotes, live")),
    Scene("09_tick_by_tick", always("10 trades or more")),
    Scene("10_market_depth", always("5 bids, 5 asks")),
    Scene("11_real_time_bars", always("3 bars or more, {5} seconds apart"), speed=10),
    Scene("12_market_and_limit_order", dealt),
    Scene("13_bracket", protected),
    Scene("14_modify", living),
    Scene("15_cancel", ends),
    Scene("16_what_if", planned),
    Scene("17_executions", fees),
    Scene("18_pnl", gain, faults="held"),
    Scene("19_snapshots", always("4 of 4 quoted")),
    Scene("20_no_such_contract", always(f"{REFUSED}200")),
    Scene("21_preset_notice", always("called alive, orders at work: 1"), faults="21_preset_notice"),
    Scene("22_fill_while_lost", filled, speed=1, faults="22_fill_while_lost"),
    Scene("23_client_id_in_use", always("connected with client id 1"), speed=1, faults="23_client_id_in_use"),
    Scene("24_mute_socket", FLOWS, speed=1, faults="24_mute_socket", bound_s=45),
    Scene("25_nightly_reset", FLOWS, speed=60, faults="25_nightly_reset", bound_s=30),
    Scene("26_data_lost", always("what flows: bars, live bars, quotes"), faults="26_data_lost", bound_s=30),
    Scene("27_callback_raises", placed),
    Scene("28_many_requests", always("120 of 120 answered"), bound_s=30, varies=True),
    Scene("29_history_at_once", always("8 of 8 pieces came"), bound_s=30),
)
