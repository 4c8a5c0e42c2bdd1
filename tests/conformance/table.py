"""docs/conformance.md, written from a run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conformance.run import Run
from tests.conformance.scenarios import Scenario

__all__ = ["render"]

SIGNS = {"passed": "✓", "lacks": "–", "failed": "✗"}
HEAD = """# Conformance: real clients against the simulated TWS

Written by `make conformance`; do not edit. Every client below runs in an environment of its own and is driven
over a socket through the same scenarios. What it saw is compared with what the simulated broker knows, and
with what the other clients saw: [how](design/conformance.md).

✓ saw what the broker knows · – has no such request, or its server version has none · a number: deviates by
its own code, see below · ✗ failed
"""


def render(runs: Sequence[Run], scenarios: Sequence[Scenario]) -> str:
    """The page as text; the same outcome gives the same bytes."""
    reasons: dict[str, int] = {}
    lines = [HEAD, *_clients(runs), ""]
    for family in dict.fromkeys(scenario.family for scenario in scenarios):
        rows = [scenario for scenario in scenarios if scenario.family == family]
        lines += [f"## {family.capitalize()}", "", *_family(runs, rows, reasons), ""]
    if reasons:
        lines += ["## Deviations", ""]
        lines += [f"{number}. {reason}" for reason, number in reasons.items()]
        lines.append("")
    return "\n".join(lines)


def _clients(runs: Sequence[Run]) -> list[str]:
    lines = ["| | client | server version | passed | deviates | has none |", "|---|---|---|---|---|---|"]
    for index, run in enumerate(runs):
        verdicts = [outcome.verdict for outcome in run.outcomes.values()]
        counts = " | ".join(str(verdicts.count(kind)) for kind in ("passed", "deviates", "lacks"))
        lines.append(f"| {_letter(index)} | {run.client.name} | {run.version} | {counts} |")
    return lines


def _family(runs: Sequence[Run], rows: Sequence[Scenario], reasons: dict[str, int]) -> list[str]:
    heads = " | ".join(_letter(index) for index in range(len(runs)))
    lines = [f"| scenario | {heads} |", "|---" * (len(runs) + 1) + "|"]
    for scenario in rows:
        cells = []
        for run in runs:
            outcome = run.outcomes[scenario.name]
            if outcome.verdict == "deviates":
                cells.append(str(reasons.setdefault(f"{run.client.name}: {outcome.text}", len(reasons) + 1)))
            else:
                cells.append(SIGNS[outcome.verdict])
        lines.append(f"| {scenario.name} | {' | '.join(cells)} |")
    return lines


def _letter(index: int) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index]
