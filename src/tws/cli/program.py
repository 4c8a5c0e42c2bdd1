"""`run_strategy`: what `tws run` does, called by a program with a strategy of its own.

    run_strategy(Momentum(), "tws.toml")
    run_strategy(None, "tws.toml", rules=[Rule(...)])       # what the file trades, by rules of the program

The configuration says where TWS listens, what is allowed and how a signal becomes an order. A section
`[[strategies]]` with `kind = "python"` and the class's name says it for this strategy; without one the
defaults of a section hold. What else the file trades is traded, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from tws.cli.run import go, leave_word, report_lines
from tws.config import load_settings
from tws.config.strategies import is_loading
from tws.errors import ConfigError
from tws.rules import Rule
from tws.runtime.plan import plan_run, with_rules
from tws.runtime.programs import with_program
from tws.runtime.report import RunReport
from tws.strategy.base import Strategy

__all__ = ["run_strategy"]


def run_strategy(
    strategy: Strategy | None, config: str | Path, *, rules: Iterable[Rule] = (), for_s: float | None = None
) -> RunReport:
    """Trade a strategy until its time is over (`for_s`), somebody stops it (Ctrl-C, `tws stop`, `tws kill`)
    or it fails; prints the plan and the report, and answers the latter. `rules` stand before the file's own.

    Raises ConfigError before anything is dialled; then what kept it from starting: ConnectError,
    SafetyError, JournalError, RequestTimeoutError, DataError. Its event loop is its own: within a running one
    (a notebook) call it in a thread.
    """
    if (file := is_loading()) is not None:
        cure = 'Put it below: if __name__ == "__main__":'
        raise ConfigError("strategies.file", file.name, "calls run_strategy while it is loaded", cure)
    path = Path(config)
    settings = with_rules(load_settings(path), rules)
    if strategy is not None:
        settings = with_program(settings, strategy)
    plan = replace(plan_run(settings, path, own=strategy), program=True)
    leave_word(plan)
    report = asyncio.run(go(plan, for_s, json=False))
    print("\n".join(report_lines(report)), flush=True)
    return report
