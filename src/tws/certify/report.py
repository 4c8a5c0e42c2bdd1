"""What a certification found, as data and as a page for people.

Nothing stands here that is not in the redacted recordings, but versions and TWS's own settings; of those the
trusted addresses are only counted.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from tws.certify.pack import Judged, Pack
from tws.certify.register import BEYOND, Scenario

__all__ = ["as_data", "as_page"]


def as_data(pack: Pack, scenarios: Sequence[Scenario], judged: Sequence[Judged], made: str) -> dict[str, Any]:
    """The report with stable keys."""
    last = pack.runs[-1].tws if pack.runs else None
    differ = sum(each.differs for each in judged)
    played = sum(each.played for each in judged)
    return {
        "format": 1,
        "made": made,
        "verdict": "differs" if differ else "same" if played else "not played",
        "counts": {"played": played, "differ": differ, "not_played": len(judged) - played},
        "tws": {
            "server_version": last and last.server_version,
            "connection_time": last and last.connection_time,
            "accounts": last and last.accounts,
            "settings": _settings(last.settings) if last and last.settings is not None else None,
        },
        "framework": version("tws-trading-framework"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "symbol": pack.symbol,
        "left_behind": [run.tws.left for run in pack.runs if run.tws.left],
        "scenarios": [_row(each, one) for each, one in zip(scenarios, judged, strict=True)],
        "beyond": msgspec.to_builtins(BEYOND),
    }


def _settings(settings: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(settings)
    return told | {"trusted_ips": len(told["trusted_ips"])}


def _row(scenario: Scenario, judged: Judged) -> dict[str, Any]:
    verdict = "not played" if not judged.played else "differs" if judged.differs else "same"
    return {
        "family": scenario.family,
        "name": scenario.name,
        "row": scenario.row,
        "page": f"docs/design/{scenario.page}",
        "verdict": verdict,
        "why": judged.why,
        "differences": msgspec.to_builtins([each for each in judged.differences if each.judged]),
        "notes": msgspec.to_builtins([each for each in judged.differences if not each.judged]),
    }


def as_page(data: dict[str, Any]) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(data)) + "\n"


def _lines(data: dict[str, Any]) -> Iterator[str]:
    counts, tws = data["counts"], data["tws"]
    yield "# A TWS and the simulated one, compared\n"
    yield f"{data['made']}, framework {data['framework']}, Python {data['python']}, {data['system']}. "
    yield f"Server version {tws['server_version']}, connection time `{tws['connection_time']}`, "
    yield f"{tws['accounts']} account(s), share {data['symbol']}.\n"
    yield f"**{data['verdict']}**: {counts['played']} scenarios played, {counts['differ']} differ, "
    yield f"{counts['not_played']} not played.\n"
    for left in data["left_behind"]:
        yield f"**{left}**\n"
    yield from _differing([row for row in data["scenarios"] if row["verdict"] == "differs"])
    yield "## All scenarios\n"
    yield "| scenario | row | verdict |\n|---|---|---|"
    for row in data["scenarios"]:
        why = f": {_cell(row['why'])}" if row["why"] else ""
        notes = f", {len(row['notes'])} notes" if row["notes"] else ""
        yield f"| {row['family']}: {_cell(row['name'])} | {row['row']} | {row['verdict']}{why}{notes} |"
    noted = [row for row in data["scenarios"] if row["notes"]]
    if noted:
        yield "\n## Notes\n\nWithin what TWS promises, or only in a text.\n"
        for row in noted:
            yield from (f"* {row['name']}, {each['thread']}: {each['text']}" for each in row["notes"])
    if tws["settings"] is not None:
        yield "\n## Settings that TWS told\n"
        yield from (f"* {name}: {value}" for name, value in tws["settings"].items())
    yield "\n## Beyond any scenario\n"
    yield from (f"* {one['what']} ({one['row']}): {one['why']}" for one in data["beyond"])


def _differing(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield "## What differs\n"
    for row in rows:
        yield f"### {row['family']}: {row['name']}\n"
        yield f"Row {row['row']}; the simulator's behaviour: {row['page']}.\n"
        yield from (f"* {each['thread']}, {each['what']}: {each['text']}" for each in row["differences"])
        yield ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
