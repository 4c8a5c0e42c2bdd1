"""The faults of one run, as its seed draws them: of the network, of TWS, of the process and of the disk.

A `Mix` is a value, so a failing one can be printed, pasted into a test, and made smaller part by part
(`tests.world.shrink`). Each kind of fault is on in some of the seeds only: what one hides another shows.
"""

from __future__ import annotations

from random import Random
from typing import Any, Literal, Self

from msgspec import Struct
from msgspec.structs import replace
from tests.soak.storm import Play, Scenery, draw_storm
from tests.world.pause import PAUSE, START_NS

from tws.exchange import ChildrenWork, Habits
from tws.simulator.faults.base import REGISTRY
from tws.world import CALM, DiskFaults, Faults

__all__ = ["FAULTY_S", "OUT", "SYMBOLS", "End", "Mix"]

SYMBOLS = ("TLT", "SLV")
FAULTY_S = 45.0
"""A dozen trades and some lost links; longer runs cost more than further seeds tell."""
SLEEPS = 0.15
"""Of the seeds; each has the safety file, and so emergency records when its disk is full."""
PAUSES = 0.05
"""Of the seeds: each lasts a minute longer."""
FREE_PORT = 7500
PLAYS = (1, 6)
"""Faults of TWS in a run that has any: alone, and piled up."""
NOTHING_MEETS_IT = "the trader asks for none of what it spoils"
OUT = {
    "assignment": "nobody here holds an option; tests/exchange plays it",
    "exercise-rejected": "nobody here exercises an option; tests/simulator plays it",
    "live-updates-fail": NOTHING_MEETS_IT,
    "read-only": "no order leaves while it lasts, exits least of all; tests/simulator plays it",
    "real-time-bars-end": NOTHING_MEETS_IT,
}
"""Faults of TWS that are not in the lot, and why."""
ALL = tuple(name for name in sorted(REGISTRY) if name not in OUT)
CALM_DISK = DiskFaults()


class End(Struct, frozen=True, kw_only=True):
    """How a life of the trader ends: `at_s`, and by what; the next begins `down_s` later.

    kill    as kill -9: after `steps` more of its callbacks, that is at any of its awaits
    stop    in an orderly way
    sleep   its machine sleeps, after `steps` callbacks as well; `down_s` later somebody else acts, and it
            wakes `wake_s` after that. `act`: a latch from another process, under which the same life goes on;
            or another trader in its place, on a copy of the journal, which is still there when it wakes
    """

    kind: Literal["kill", "stop", "sleep"] = "kill"
    at_s: float
    steps: int = 0
    down_s: float = 0.0
    act: Literal["latch", "takeover"] = "latch"
    wake_s: float = 0.0


class Mix(Struct, frozen=True, kw_only=True):
    """What goes wrong in a run, and how this TWS is set (`options`, which is no fault)."""

    network: Faults = CALM
    disk: DiskFaults = CALM_DISK
    plays: tuple[Play, ...] = ()
    ends: tuple[End, ...] = ()
    options: dict[str, Any] = {}
    pause: bool = False
    """The market closes for a minute: see `tests.world.pause`."""
    faulty_s: float = FAULTY_S

    @classmethod
    def draw(
        cls, seed: int | str, faulty_s: float = FAULTY_S, symbols: tuple[str, ...] = SYMBOLS
    ) -> Self:
        """The mix of a seed."""
        rng = Random(f"{seed}/mix")
        return cls(
            network=Faults.draw(rng) if rng.random() < 0.6 else CALM,
            disk=_disk(rng),
            plays=_plays(rng, faulty_s, symbols) if rng.random() < 0.7 else (),
            ends=_with_sleep(_ends(rng, faulty_s), Random(f"{seed}/sleep"), faulty_s),
            options=_options(rng),
            pause=Random(f"{seed}/pause").random() < PAUSES,
            faulty_s=faulty_s,
        )

    @property
    def hours(self) -> str:
        """Those of the market; "": it never closes."""
        return PAUSE if self.pause else ""

    @property
    def start_ns(self) -> int | None:
        """When a run begins; None: as usual."""
        return START_NS if self.pause else None

    def parts(self) -> list[str]:
        """The names of what is on, each of which `without` switches off."""
        names = [f"network {name}" for name in _differing(self.network, CALM)]
        names += [f"disk {name}" for name in _differing(self.disk, CALM_DISK)]
        names += [f"play {number} {play.name}" for number, play in enumerate(self.plays)]
        names += [f"end {number} {end.kind}" for number, end in enumerate(self.ends)]
        names += ["market pause"] if self.pause else []
        return names + [f"option {name}" for name in self.options]

    def without(self, part: str) -> Self:
        """The same mix with one part less."""
        kind, name, *_ = part.split()
        match kind:
            case "network":
                return replace(self, network=replace(self.network, **{name: getattr(CALM, name)}))
            case "disk":
                return replace(self, disk=replace(self.disk, **{name: getattr(CALM_DISK, name)}))
            case "play":
                return replace(self, plays=_all_but(self.plays, int(name)))
            case "market":
                return replace(self, pause=False)
            case "end":
                return replace(self, ends=_all_but(self.ends, int(name)))
            case _:
                return replace(self, options={key: self.options[key] for key in self.options if key != name})


def _differing(one: Struct, other: Struct) -> list[str]:
    return [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]


def _all_but(rows: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    return rows[:number] + rows[number + 1 :]


def _disk(rng: Random) -> DiskFaults:
    """Slow in a quarter of the runs, full at some group in a tenth; a kill loses what is under way."""
    slow, full = rng.random() < 0.25, rng.random() < 0.1
    slowest_s = rng.choice((0.05, 0.5, 3.0)) if slow else CALM_DISK.sync_max_s
    return DiskFaults(sync_max_s=slowest_s, full_after=rng.randint(5, 250) if full else None)


def _ends(rng: Random, faulty_s: float) -> tuple[End, ...]:
    ends = [
        End(
            kind=rng.choice(("kill", "kill", "kill", "stop")),
            at_s=rng.uniform(5.0, faulty_s),
            steps=rng.randint(0, 300),
            down_s=rng.choice((0.0, 0.0, rng.uniform(0.5, 15.0))),
        )
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]
    return tuple(sorted(ends, key=lambda end: end.at_s))


def _with_sleep(ends: tuple[End, ...], rng: Random, faulty_s: float) -> tuple[End, ...]:
    """In a part of the seeds the trader's machine sleeps once, beside what else ends its lives."""
    if rng.random() >= SLEEPS:
        return ends
    sleep = End(
        kind="sleep",
        at_s=rng.uniform(5.0, 0.6 * faulty_s),
        steps=rng.randint(0, 100),
        down_s=rng.uniform(0.5, 6.0),
        act=rng.choice(("latch", "takeover")),
        wake_s=rng.uniform(0.1, 8.0),
    )
    return tuple(sorted((*ends, sleep), key=lambda end: end.at_s))


def _plays(rng: Random, faulty_s: float, symbols: tuple[str, ...]) -> tuple[Play, ...]:
    scenery = Scenery(symbols, FREE_PORT, ALL, PLAYS)
    plays = draw_storm(rng, scenery, faulty_s)
    for play in plays:
        if play.name == "split":  # a reverse split pays fractions in cash, which the simulator does not model
            play.values["ratio"] = 2.0
    return tuple(plays)


def _options(rng: Random) -> dict[str, Any]:
    """How this TWS is set, where it is not as usual: `SimulatorOptions` that a trader can't choose."""
    drawn: dict[str, Any] = {}
    for name, values in {
        "server_version": (176, 200),
        "preset_notice": (True,),
        "send_open_orders": (False,),
        "gateway": (True,),
        "zone_names": (True,),
        "zombie_s": (5.0, 20.0),
        "first_order_id": (4711, 2_000_000),
        "execution_days": (7,),
        "habits": (
            Habits(children=ChildrenWork.FOR_FILLED_PART),
            Habits(cancel_latency_ns=1_500_000_000),
            Habits(presubmitted_first=False, duplicate_filled=False),
        ),
    }.items():
        value, on = rng.choice(values), rng.random() < 0.2
        if on:
            drawn[name] = value
    return drawn
