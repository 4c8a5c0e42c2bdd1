"""Plays every scenario with every client, two clients at a time, and compares what they saw.

Each client has a simulated TWS of its own in this process, so that the broker's truth is at hand, and a
process of its own in an environment of its own. A scenario compares the client with the broker while it
runs; when all have run, what clients noted is compared between them. A deviation with a known cause in the
client's own code is in `deviations`, and must still happen.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tests.conformance.clients import Client
from tests.conformance.deviations import reason_of
from tests.conformance.scenarios import CLIENT_ID, Scenario
from tests.conformance.stage import Stage
from tests.conformance.witness import Lost, Mismatch, NotOffered, Witness

__all__ = ["Outcome", "Run", "play_all"]

Verdict = Literal["passed", "deviates", "lacks", "failed"]
STRANGE = frozenset({320, 322, 323, 503, 505, 506, 507, 508, 509, 511, 512})
"""Errors that mean that one side could not read the other."""
AT_ONCE = 2
SCENARIO_S = 60.0


class Outcome(NamedTuple):
    """`lacks`: the client has no such request. `deviates`: as listed. `text` says why."""

    verdict: Verdict
    text: str = ""
    notes: dict[str, Any] = {}  # noqa: RUF012


class Run(NamedTuple):
    """One client's outcomes by scenario name."""

    client: Client
    version: int
    outcomes: dict[str, Outcome]
    installed_s: float
    played_s: float


async def play_all(
    clients: Sequence[Client], scenarios: Sequence[Scenario], cache: Path, top: int
) -> list[Run]:
    """Run all; `top` caps the simulator's server version. Order of the result is that of `clients`."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(client: Client) -> Run:
        async with room:
            begun = time.monotonic()
            command = await asyncio.to_thread(client.prepare, cache)
            installed = time.monotonic()
            run = await play(client, command, scenarios, cache, top)
            run = run._replace(installed_s=installed - begun, played_s=time.monotonic() - installed)
            counted = Counter(outcome.verdict for outcome in run.outcomes.values())
            said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counted.items()))
            print(f"{client.name:<18} v{run.version}  {said}  {run.played_s:.0f} s", flush=True)
            return run

    return compare(await asyncio.gather(*(one(client) for client in clients)))


async def play(
    client: Client, command: Sequence[str], scenarios: Sequence[Scenario], cache: Path, top: int
) -> Run:
    """One client through the scenarios."""
    outcomes: dict[str, Outcome] = {}
    logs = cache / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    stage = Stage(server_version=top)
    await stage.start()
    witness = Witness(client.name, command, logs / f"{client.name.replace('/', '-')}.log")
    witness.version = client.version
    version = 0
    try:
        await witness.start()
        for scenario in scenarios:
            try:
                if not _connected(witness, stage):
                    version = await _connect(witness, stage)
            except (Mismatch, Lost) as lost:
                outcomes[scenario.name] = Outcome("failed", f"no session: {lost}")
                if isinstance(lost, Lost):
                    await witness.start()
                continue
            outcomes[scenario.name] = await judge(client, scenario, witness, stage, version)
    finally:
        await witness.stop()
        await stage.stop()
    return Run(client, version, outcomes, 0.0, 0.0)


def _connected(witness: Witness, stage: Stage) -> bool:
    return CLIENT_ID in stage.sim.core.by_client


async def _connect(witness: Witness, stage: Stage) -> int:
    witness.begin()
    await witness.do("connect", host="127.0.0.1", port=stage.port, client_id=CLIENT_ID)
    row = await witness.wait("ready", patience_s=30)
    await witness.wait("error", code=2158)  # the last of the burst
    witness.keep_burst()
    return int(row["version"])


async def judge(client: Client, scenario: Scenario, witness: Witness, stage: Stage, version: int) -> Outcome:
    """Play one scenario and turn what happened into a verdict."""
    if version < scenario.since:
        return Outcome("lacks", f"since server version {scenario.since}")
    witness.begin()
    try:
        await asyncio.wait_for(scenario.play(witness, stage), SCENARIO_S)
        strange = witness.strange_errors(STRANGE)
        if strange:
            raise Mismatch(f"unasked error {strange[0]}")
        outcome = Outcome("passed", "", witness.notes)
    except NotOffered as lacking:
        outcome = Outcome("lacks", str(lacking))
    except (Mismatch, Lost, TimeoutError) as error:
        outcome = Outcome("failed", str(error) or f"no end within {SCENARIO_S:g} s", witness.notes)
    except Exception as error:  # a scenario's own bug, or truth that is not there
        outcome = Outcome("failed", f"{type(error).__name__}: {error}", witness.notes)
    await _tidy(witness, stage)
    return settle(client, scenario, outcome)


def settle(client: Client, scenario: Scenario, outcome: Outcome) -> Outcome:
    """A failure with a known cause in the client is a deviation; a listed one that does not happen fails."""
    reason = reason_of(client.name, scenario.name)
    if reason is None:
        return outcome
    if outcome.verdict == "failed":
        return Outcome("deviates", reason)
    if outcome.verdict == "passed":
        return Outcome("failed", f"passes now; take it from the list of deviations: {reason}")
    return outcome


async def _tidy(witness: Witness, stage: Stage) -> None:
    """No scenario leaves orders or sessions to the next."""
    for client_id, session in list(stage.sim.core.by_client.items()):
        if client_id != CLIENT_ID:
            session.close("the scenario ended", expected=True)
    if stage.exchange.open_orders() and CLIENT_ID in stage.sim.core.by_client:
        stage.sim.core.tell(stage.exchange.global_cancel(stage.sim.now_ns()))
        stage.sim.core.flush()
    await asyncio.sleep(0.02)


def compare(runs: Sequence[Run]) -> list[Run]:
    """What clients noted must be the same; who is alone with a value has failed."""
    for name in dict.fromkeys(name for run in runs for name in run.outcomes):
        noted = {
            run.client.name: run.outcomes[name].notes
            for run in runs
            if name in run.outcomes and run.outcomes[name].verdict == "passed"
        }
        for key in sorted({key for notes in noted.values() for key in notes}):
            values = {client: notes[key] for client, notes in noted.items() if key in notes}
            common, _ = Counter(map(repr, values.values())).most_common(1)[0]
            for run in runs:
                value = values.get(run.client.name)
                if run.client.name in values and repr(value) != common:
                    text = f"{key}: saw {_cut(repr(value))}, most clients saw {_cut(common)}"
                    scenario = Scenario("", name, None)  # type: ignore[arg-type]
                    run.outcomes[name] = settle(run.client, scenario, Outcome("failed", text))
    return list(runs)


def _cut(text: str, length: int = 400) -> str:
    return text if len(text) <= length else text[:length] + "…"
