"""What a network may do to its users, as numbers; each run draws which of it is on."""

from __future__ import annotations

from msgspec import Struct

from tws.clock import Rng

__all__ = ["CALM", "Faults"]


class Faults(Struct, frozen=True, kw_only=True):
    """The weather of a network. Rates are chances between 0 and 1, times are seconds of virtual time.

    latency_s     from a write to its arrival, never less
    jitter_s      added to it, evenly between 0 and this
    chunk_max     bytes arrive in pieces of 1 to this many, of every order of magnitude alike; 0: as they
                  come, writes merged as TCP merges them
    stall_rate    of each arrival: the link stands still for up to `stall_s`
    cut_rate      of each arrival: the link is lost with all that is under way
    silence_s     after a cut, one of the two ends may hear of it this much later
    refuse_rate   of each dial: refused at once
    hang_rate     of each dial: unanswered for up to `hang_s`, then a time-out, as of a silent host
    window        bytes that fit on the way in each direction; what is beyond waits at the writer
    """

    latency_s: float = 0.0005
    jitter_s: float = 0.0
    chunk_max: int = 0
    stall_rate: float = 0.0
    stall_s: float = 20.0
    cut_rate: float = 0.0
    silence_s: float = 15.0
    refuse_rate: float = 0.0
    hang_rate: float = 0.0
    hang_s: float = 30.0
    window: int = 65_536

    @classmethod
    def draw(cls, rng: Rng) -> Faults:
        """Weather for one run: each fault is on in about half of the runs, with a strength of its own."""

        def maybe(low: float, high: float) -> float:
            strength = rng.uniform(low, high)
            return strength if rng.random() < 0.5 else 0.0

        return cls(
            latency_s=rng.uniform(0.0001, 0.05),
            jitter_s=maybe(0.001, 0.5),
            chunk_max=int(maybe(1, 1500)),
            stall_rate=maybe(0.001, 0.02),
            stall_s=rng.uniform(1.0, 60.0),
            cut_rate=maybe(0.002, 0.02),
            silence_s=rng.uniform(0.0, 30.0),
            refuse_rate=maybe(0.1, 0.7),
            hang_rate=maybe(0.05, 0.3),
            hang_s=rng.uniform(1.0, 60.0),
            window=(1_024, 8_192, 65_536)[rng.randint(0, 2)],
        )


CALM = Faults()
