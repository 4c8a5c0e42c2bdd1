"""`run_strategy`: what `tws run` does, called by a program with a strategy of its own.

    run_strategy(Momentum(), "tws.toml")

The configuration says where TWS listens, what is allowed and how a signal becomes an order. A section
`[[strategies]]` with `kind = "python"` and the class's name says it for this strategy; without one the
defaults of a section hold. What else the file trades is traded, too.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from tws.cli.run import go, report_lines
from tws.config import load_settings
from tws.runtime.plan import plan_run
from tws.runtime.programs import with_program
from tws.runtime.report import RunReport
from tws.strategy.base import Strategy

__all__ = ["run_strategy"]


def run_strategy(
    strategy: Strategy, config: str | Path, *, for_s: float | None = None, quiet: bool = False
) -> RunReport:
    """Trade a strategy until its time is over (`for_s`), somebody stops it (Ctrl-C, `tws stop`, `tws kill`)
    or it fails; answers the report, which it prints unless `quiet`.

    Raises before anything is dialled ConfigError; then what kept it from starting, as `tws run` says it
    with exit code 2: ConnectError, SafetyError, JournalError, RequestTimeoutError, DataError. Its event loop
    is its own: within a running one (a notebook) call it in a thread.
    """
    path = Path(config)
    plan = plan_run(with_program(load_settings(path), strategy), path, own=strategy)
    if not quiet:
        print("\n".join(plan.lines()), flush=True)
    report = asyncio.run(go(plan, for_s, quiet))
    if not quiet:
        print("\n".join(report_lines(report)), flush=True)
    return report
