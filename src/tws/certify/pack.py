"""The folder of a certification: recordings, what was played, the report; and all of it as one zip.

certify-20261127-1500/
    tws-1.jsonl simulator-1.jsonl      the recordings of each run, redacted as they were written
    played.json                        which frames belong to which scenario; what `--resume` reads
    report.md report.json
    guard.sqlite3                      the book of our own gate; stays here, it names the account
certify-20261127-1500.zip              the first four, to be sent
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tws.certify.compare import Difference, compare
from tws.certify.play import Outcome, Played
from tws.certify.threads import threads_of
from tws.errors import ConfigError, DataError
from tws.recording import read

__all__ = ["Judged", "Pack", "Run", "judge", "open_pack"]

FORMAT = 1
STATE = "played.json"


class Run(Struct, frozen=True):
    """One run: both sides. `simulator` is None while the TWS alone was played (interrupted)."""

    tws: Played
    simulator: Played | None = None


class Judged(Struct, frozen=True):
    """A scenario as far as it came. `why` says why it was not played."""

    scenario: str
    played: bool
    why: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def differs(self) -> bool:
        return any(each.judged for each in self.differences)


class Pack(Struct):
    """What has been played into a folder, over all its runs."""

    folder: Path
    symbol: str
    runs: list[Run] = []

    @property
    def done(self) -> set[str]:
        """The scenarios that both sides have played."""
        return {
            outcome.scenario
            for run in self.runs
            if run.simulator is not None
            for outcome in run.tws.outcomes
            if outcome.played
        }

    def save(self) -> None:
        """Write what `--resume` needs, whole or not at all."""
        body = {"format": FORMAT, "symbol": self.symbol, "runs": msgspec.to_builtins(self.runs)}
        text = msgspec.json.format(msgspec.json.encode(body), indent=1)
        unfinished = self.folder / f"{STATE}.tmp"
        unfinished.write_bytes(text + b"\n")
        unfinished.replace(self.folder / STATE)

    def zip(self) -> Path:
        """All that may be sent, beside the folder."""
        folder = self.folder.resolve()
        path = folder.with_name(f"{folder.name}.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(folder.iterdir()):
                if each.suffix in (".jsonl", ".json", ".md"):
                    archive.write(each, f"{folder.name}/{each.name}")
        return path


def open_pack(folder: Path, symbol: str, *, resume: bool) -> Pack:
    """A new folder, or one to go on in. Raises ConfigError, DataError for one that can't be read."""
    state = folder / STATE
    if not resume:
        if folder.exists() and any(folder.iterdir()):
            cure = "Give a new folder, or --resume this one"
            raise ConfigError("out", str(folder), "is there already", cure)
        folder.mkdir(parents=True, exist_ok=True)
        return Pack(folder, symbol)
    try:
        body = msgspec.json.decode(state.read_bytes())
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            raise DataError(state, 1, f"no pack of format {FORMAT}")
        return Pack(folder, str(body["symbol"]), msgspec.convert(body["runs"], list[Run]))
    except OSError as error:
        raise DataError(state, 0, error.strerror or str(error)) from error
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise DataError(state, 1, f"is no pack: {error}") from error


def judge(pack: Pack, wanted: Sequence[str]) -> list[Judged]:
    """Each wanted scenario by the last run in which it was played, else why not."""
    found: dict[str, Judged] = {}
    for run in pack.runs:
        found |= {
            outcome.scenario: Judged(outcome.scenario, False, outcome.why)
            for outcome in run.tws.outcomes
            if not outcome.played and not getattr(found.get(outcome.scenario), "played", False)
        }
        if run.simulator is not None:
            found |= {each.scenario: each for each in _compared(pack.folder, run.tws, run.simulator)}
    return [found.get(key, Judged(key, False, "not begun")) for key in wanted]


def _compared(folder: Path, tws: Played, simulator: Played) -> list[Judged]:
    sides = [threads_of(read(folder / side.file), side.spans, side.con_id) for side in (tws, simulator)]
    ours = {outcome.scenario: outcome for outcome in simulator.outcomes}
    judged = []
    for outcome in tws.outcomes:
        other = ours.get(outcome.scenario)
        if not outcome.played or other is None:
            continue
        found = compare(sides[0].get(outcome.scenario, []), sides[1].get(outcome.scenario, []))
        judged.append(Judged(outcome.scenario, True, "", (*found, *_ended(outcome, other))))
    return judged


def _ended(tws: Outcome, simulator: Outcome) -> list[Difference]:
    """What one side alone never said, or could not play."""
    if bool(tws.why) == bool(simulator.why) and simulator.played:
        return []
    said = [f"{who} {one.why}" for who, one in (("TWS:", tws), ("the simulator:", simulator)) if one.why]
    return [Difference("the scenario", "ended", f"one side did not come to its end: {'; '.join(said)}")]
