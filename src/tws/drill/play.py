"""All moments in turn. A moment that raises has failed, and says what it raised; the others are played."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from tws.drill.moments import MOMENTS
from tws.errors import ConfigError
from tws.log import get_logger

__all__ = ["DrillReport", "Played", "run_drill"]

log = get_logger("tws.drill")


class Played(Struct, frozen=True, kw_only=True):
    """One moment: what it is, what was answered, what does not hold."""

    name: str
    about: str
    passed: bool
    seconds: float
    answers: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()


class DrillReport(Struct, frozen=True, kw_only=True):
    """The rehearsal. `complete`: every moment was played."""

    moments: tuple[Played, ...]
    complete: bool

    @property
    def passed(self) -> bool:
        """Whether all ten were played and hold."""
        return self.complete and all(each.passed for each in self.moments)


async def run_drill(
    names: Sequence[str] = (), on_played: Callable[[Played], object] = lambda played: None
) -> DrillReport:
    """Play these moments, or all, in folders that are gone afterwards. ConfigError: no such moment."""
    strange = [name for name in names if name not in MOMENTS]
    if strange:
        raise ConfigError("moment", strange[0], "is none of the drill's", f"Use one of {', '.join(MOMENTS)}")
    wanted = [name for name in MOMENTS if not names or name in names]
    played = []
    with tempfile.TemporaryDirectory(prefix="tws-drill-", ignore_cleanup_errors=True) as folder:
        for name in wanted:
            played.append(await _play(name, Path(folder) / name))
            on_played(played[-1])
    return DrillReport(moments=tuple(played), complete=len(wanted) == len(MOMENTS))


async def _play(name: str, folder: Path) -> Played:
    began = time.monotonic()
    moment = MOMENTS[name]
    about = " ".join((moment.__doc__ or "").split())
    answers: tuple[str, ...] = ()
    try:
        stage = await moment(folder)
        answers, complaints = tuple(stage.notes), tuple(stage.complaints)
    except Exception as error:  # whatever it is: this moment has failed
        log.info("a moment of the drill broke off", moment=name, reason=repr(error))
        complaints = (f"{type(error).__name__}: {error}",)
    return Played(name=name, about=about, passed=not complaints, seconds=time.monotonic() - began,
                  answers=answers, complaints=complaints)
