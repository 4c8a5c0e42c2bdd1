"""A certification from beginning to end: the TWS is played, then the simulated one, then both are compared.

The simulated TWS plays the same scenarios at the same server version, with as many accounts, in this process,
over a socket and through the same recorder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tws.certify.pack import Pack, Run, judge, open_pack
from tws.certify.play import Outcome, Played, Side, SideOptions
from tws.certify.register import Scenario
from tws.certify.report import as_data, as_page
from tws.certify.scenarios import SCENARIOS
from tws.connection import PacingOptions
from tws.errors import ConfigError
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions, Subscriptions

__all__ = ["CertifyOptions", "certify", "chosen"]

SPEED = 20.0
"""Five seconds of the market, the longest that a scenario waits for, pass in a quarter of a second."""
SIMULATOR_S = 5.0
"""The simulator answers within milliseconds; what it never says need not be waited for as long as TWS."""
EVERYTHING = Subscriptions.beside(("fundamentals", "wsh"))
"""What this TWS may not see is not played at all, so the simulated login may see it."""
BESIDE = ("AAPL", "MSFT", "NVDA")
"""The shares that are read beside the one that is traded."""

Tell = Callable[[str, Scenario, Outcome], None]


class CertifyOptions(Struct, frozen=True, kw_only=True):
    """Which TWS, what to play, where to.

    only    scenarios whose family and name contain one of these texts; empty: all
    folder  the pack's folder; with `resume` it holds a pack to go on with
    pacing  the limits of this TWS's login
    words   further texts to redact
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 7497
    client_id: int = 31
    account: str = ""
    symbol: str = "SPY"
    orders: bool = False
    only: tuple[str, ...] = ()
    resume: bool = False
    pacing: PacingOptions = PacingOptions()
    patience_s: float = 20.0
    words: tuple[str, ...] = ()


def chosen(only: Sequence[str]) -> list[Scenario]:
    """The scenarios that are meant. Raises ConfigError when none is."""
    found = [each for each in SCENARIOS if not only or any(text in each.key for text in only)]
    if not found:
        raise ConfigError("only", ", ".join(only), "is part of no scenario's name", "See tws certify --list")
    return found


async def certify(options: CertifyOptions, now: Callable[[], datetime], tell: Tell) -> dict[str, Any]:
    """Play, compare and write; answers the report's data.

    Raises ConnectError without a TWS, ConfigError for one that must not be played on. Cancelled, it takes
    back what it has placed and keeps what was played for `resume`.
    """
    scenarios = chosen(options.only)
    pack = open_pack(options.folder, options.symbol, resume=options.resume)
    done = pack.done
    todo = [each for each in scenarios if each.key not in done]
    if todo:
        await _run(options, pack, todo, tell)
    judged = judge(pack, [each.key for each in scenarios])
    data = as_data(pack, scenarios, judged, f"{now():%Y-%m-%d %H:%M} UTC")
    text = msgspec.json.format(msgspec.json.encode(data), indent=1)
    (pack.folder / "report.json").write_bytes(text + b"\n")
    (pack.folder / "report.md").write_text(as_page(data), "utf-8", newline="\n")
    return data | {"pack": str(pack.zip())}


async def _run(options: CertifyOptions, pack: Pack, todo: Sequence[Scenario], tell: Tell) -> None:
    number = len(pack.runs) + 1
    wanted = _side(options, "tws", number)
    side = Side(wanted)
    try:
        async with side:
            if pack.runs and pack.runs[0].tws.server_version != side.server_version:
                before = pack.runs[0].tws.server_version
                reason = f"was played at server version {before}, this TWS has {side.server_version}"
                raise ConfigError("resume", str(pack.folder), reason, "Begin a new pack")
            await side.play(todo, tell)
    finally:
        if side.outcomes:
            pack.runs.append(Run(side.played))
            pack.save()
        else:  # nothing was played, so nothing is kept
            wanted.path.unlink(missing_ok=True)
            with suppress(OSError):
                pack.folder.rmdir()
    tws = side.played
    played = {outcome.scenario for outcome in tws.outcomes if outcome.played}
    simulated = await _simulated(options, number, tws, [each for each in todo if each.key in played], tell)
    pack.runs[-1] = Run(tws, simulated)
    pack.save()


async def _simulated(
    options: CertifyOptions, number: int, tws: Played, scenarios: Sequence[Scenario], tell: Tell
) -> Played:
    """The same scenarios on a simulated TWS of the same version."""
    simulator = SimulatedTWS(
        SimulatorOptions(
            server_version=tws.server_version,
            accounts=tuple(f"DU{number:07}" for number in range(1, max(1, tws.accounts) + 1)),
            symbols=tuple(dict.fromkeys((options.symbol, *BESIDE))),
            speed=SPEED,
            limits=Limits.off(),
            subscriptions=EVERYTHING,
        )
    )
    host, port = await simulator.start()
    try:
        wanted = replace(
            _side(options, "simulator", number),
            host=host, port=port, account="", pacing=PacingOptions.off(),
            patience_s=min(options.patience_s, SIMULATOR_S),
        )  # fmt: skip
        side = Side(wanted)
        async with side:
            await side.play(scenarios, tell)
        return side.played
    finally:
        await simulator.stop()


def _side(options: CertifyOptions, name: str, number: int) -> SideOptions:
    return SideOptions(
        name=name,
        host=options.host,
        port=options.port,
        path=options.folder / f"{name}-{number}.jsonl",
        journal=options.folder / "guard.sqlite3",
        client_id=options.client_id,
        account=options.account,
        symbol=options.symbol,
        orders=options.orders,
        pacing=options.pacing,
        patience_s=options.patience_s,
        words=options.words,
    )
