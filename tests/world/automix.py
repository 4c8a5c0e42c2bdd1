"""What an automated run meets, as its seed draws it: the weather of `tests.world.mix`, sources that speak
nonsense, and how its one configuration trades.

All of it is a value whose parts can be switched off one by one, so that a failing seed can be made small:
the faults of the API by name, each source beside the API, and each trait of the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Self

from msgspec.structs import replace
from tests.world.mix import Mix
from tests.world.pause import DAY, DAY_CLOSE_NS

from tws.clock import NS_PER_S

__all__ = ["API_FAULTS", "SOURCES", "TICKERS", "TRAITS", "AutoMix"]

TICKERS = ("CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV")
"""Those of AUTOMATION.md."""
AUTO_FAULTY_S = 60.0
"""The first quarter goes by until an ATR of one-second bars is known."""
CLOSES_S = (45.0, 80.0)
"""A close in the storm, and one in calm weather, while the run still trades."""
API_FAULTS = (
    "html", "half-json", "cut", "empty", "429", "500", "401", "404", "redirect", "slow", "missing", "renamed",
    "extra", "wrong-type", "too-sure", "nan", "future", "naive-time", "other-ticker",
)  # fmt: skip
"""Of the demo API's, all but "huge": ten megabytes a time tell no more than the 65,537th byte does."""
STICKY = ("401", "404", "redirect", "slow")
"""After one of these the source rests, or the ticker does, for the best part of a run."""
SOURCES = ("file", "function", "built-in", "steady", "raising", "blocking", "hook")
"""Each trades one of the tickers, in this order; the API trades the others. Three are strategies in Python
(`tests.world.programs`)."""
TRAITS = (
    "scale in",
    "trail",
    "break even", "double down", "rules", "risk fraction", "fractions", "opposite close", "opposite ignore",
    "undated", "human", "flat at end",
)  # fmt: skip
"""What is not as in AUTOMATION.md's typical configuration."""


class AutoMix(Mix, frozen=True, kw_only=True):
    """`api` says how often each fault of the API strikes; `warm` are the sections whose markets begin with
    their past; `commands`: somebody sits at the control channel. `closes_s`: the market closes then, and the
    run is to be flat ten seconds earlier; None: it never does. The rest stands in the configuration.
    """

    api: Mapping[str, float] = {}
    sources: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    commands: bool = False
    traits: tuple[str, ...] = ()
    closes_s: float | None = None
    per_minute: int = 120
    cooldown_s: int = 5
    stop_atr: float = 6.0
    target_atr: float = 3.0
    faulty_s: float = AUTO_FAULTY_S

    @classmethod
    def draw(
        cls, seed: int | str, faulty_s: float = AUTO_FAULTY_S, symbols: tuple[str, ...] = TICKERS
    ) -> Self:
        rng = Random(f"{seed}/automation")
        weather = super().draw(f"{seed}/automation", faulty_s, symbols)
        later = Random(f"{seed}/later")  # what came to the lot later shifts no other draw
        api = {name: _rate(name, rng) for name in API_FAULTS if rng.random() < 0.3}
        sources = tuple(name for name in SOURCES[:-1] if rng.random() < 0.6)
        sources += ("hook",) if later.random() < 0.5 else ()
        return replace(
            weather,
            pause=False,
            api=api,
            sources=sources,
            warm=tuple(name for name in ("api", *SOURCES) if later.random() < 0.3),
            commands=later.random() < 0.5,
            traits=tuple(name for name in TRAITS if rng.random() < (0.5 if name == "fractions" else 0.25)),
            closes_s=rng.choice((None, None, *CLOSES_S)),
            per_minute=rng.choice((30, 120, 600, 600)),
            cooldown_s=rng.choice((0, 5, 20, 180)),
            stop_atr=rng.choice((6.0, 6.0, 2.0)),
            target_atr=rng.choice((3.0, 3.0, 1.0)),
        )

    @property
    def hours(self) -> str:
        return "" if self.closes_s is None else DAY

    @property
    def start_ns(self) -> int | None:
        return None if self.closes_s is None else DAY_CLOSE_NS - round(self.closes_s * NS_PER_S)

    def parts(self) -> list[str]:
        names = super().parts()
        names += [f"api {name}" for name in self.api]
        names += [f"source {name}" for name in self.sources]
        names += [f"past {name}" for name in self.warm]
        names += [f"trait {name}" for name in self.traits]
        names += ["commands"] if self.commands else []
        return names + (["close"] if self.closes_s is not None else [])

    def without(self, part: str) -> Self:
        kind, _, name = part.partition(" ")
        match kind:
            case "api":
                return replace(self, api=_less(self.api, name))
            case "source":
                return replace(self, sources=tuple(each for each in self.sources if each != name))
            case "past":
                return replace(self, warm=tuple(each for each in self.warm if each != name))
            case "trait":
                return replace(self, traits=tuple(each for each in self.traits if each != name))
            case "commands":
                return replace(self, commands=False)
            case "close":
                return replace(self, closes_s=None)
        return super().without(part)

    def with_all_sources(self) -> Self:
        """The same with every kind of source."""
        return replace(self, sources=SOURCES)

    def owners(self) -> dict[str, str]:
        """Who trades each ticker: the section's name."""
        others = dict(zip(TICKERS, self.sources, strict=False))
        return {ticker: others.get(ticker, "api") for ticker in TICKERS}


def _rate(name: str, rng: Random) -> float:
    rate = rng.choice((0.02, 0.1, 0.3))
    return 0.01 if name in STICKY else rate


def _less(faults: Mapping[str, float], name: str) -> Mapping[str, float]:
    return {key: faults[key] for key in faults if key != name}
