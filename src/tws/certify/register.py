"""The register of scenarios: what each is called, which row it tries, and what it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from tws.certify.scene import Scene

__all__ = ["BEYOND", "SCENARIOS", "Beyond", "Play", "Scenario", "scenario"]

Play: TypeAlias = "Callable[[Scene], Awaitable[None]]"


class Scenario(Struct, frozen=True, kw_only=True):
    """One scenario.

    row     the place in the table of TWS's behaviour that it tries, such as "C2 Cancel"
    page    the page of docs/design that says what the simulator does there
    since   the lowest server version that knows the request
    orders  it places orders: one share, and only when that was asked for
    market  it needs an open market
    """

    family: str
    name: str
    play: Play
    row: str
    page: str
    since: int = 0
    orders: bool = False
    market: bool = False

    @property
    def key(self) -> str:
        """What names it everywhere: family and name."""
        return f"{self.family}: {self.name}"


SCENARIOS: list[Scenario] = []
"""All of them, once `tws.certify.scenarios` is imported."""


def scenario(
    family: str, page: str = "simulator.md", *, orders: bool = False
) -> Callable[..., Callable[[Play], Play]]:
    """A decorator for the scenarios of a family: `@case(name, row, since=…, market=…)`."""

    def case(name: str, row: str, *, since: int = 0, market: bool = False) -> Callable[[Play], Play]:
        def enter(play: Play) -> Play:
            made = Scenario(
                family=family,
                name=name,
                play=play,
                row=row,
                page=page,
                since=since,
                orders=orders,
                market=market,
            )
            assert all(made.key != known.key for known in SCENARIOS), f"{made.key} is there twice"
            SCENARIOS.append(made)
            return play

        return enter

    return case


class Beyond(Struct, frozen=True):
    """What no scenario can play on somebody's paper TWS, and why: each pack says so."""

    what: str
    row: str
    why: str


BEYOND = (
    Beyond("a partial fill", "C2 Partial fill", "one share fills whole"),
    Beyond("a refusal for want of margin", "C2 Reject", "it takes an order larger than one share"),
    Beyond("a short sale that must be located", "C3 404", "nothing is ever sold that was not bought before"),
    Beyond("1100, 1101 and 1102", "A6", "only the broker's outage brings them"),
    Beyond("the nightly restart", "A6", "it takes a night"),
    Beyond("a fill after a cancel", "C2", "it is a race that nobody can arrange"),
    Beyond("orders by hand and their binding", "C4", "nobody is asked to click"),
    Beyond("cancelling everything", "C4", "reqGlobalCancel would cancel orders that are not ours"),
)
