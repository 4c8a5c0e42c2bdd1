"""docs/official-requests.md as text: the table of `tests.index.rows`, joined with what the official client,
our page of requests and the simulated TWS say.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from tests.index.official import requests
from tests.index.rows import FAMILIES, NOT_YET, Row

from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.requests.refusals import refuse
from tws.wire.codec import Unknown
from tws.wire.layouts import REQUESTS
from tws.wire.messages import Answer

__all__ = ["PAGE", "REQUESTS_PAGE", "ROOT", "shown_by", "words_of", "written"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "official-requests.md"
REQUESTS_PAGE = ROOT / "docs" / "design" / "requests.md"

HEAD = """\
# Every request of the official client

Written by `make index`; do not edit. Each request that `EClient` 10.46 can send (its protobuf twin counts as
the same), the methods of `TWSConnection` that send it or do its work, what the simulated TWS does with it
unless its options say otherwise, and the test that shows it. How a method is called, what it gives, its
bounds: [requests](design/requests.md); `SyncConnection` has the same ones.

`Reply.cancel` stands for any `request_*` that is given up; a stream's `close` for leaving its `async with`
too. `official` is `connection.official`, the official client itself on our link.
"""
COLUMNS = "| official | message | ours | the simulated TWS | shown by |\n|---|---|---|---|---|"


def written() -> str:
    """The whole page."""
    parts = [HEAD]
    for family, rows in FAMILIES.items():
        parts.append(f"## {family}\n\n{COLUMNS}\n" + "\n".join(map(_line, rows)) + "\n")
    if NOT_YET:
        lines = "\n".join(f"| `{name}` | {requests()[name]} | {words_of(name)} |" for name in NOT_YET)
        parts.append(
            f"## Not yet\n\n| official | message | the simulated TWS |\n|---|---|---|\n{lines}\n"
        )
    return "\n".join(parts)


def _line(row: Row) -> str:
    ours = ", ".join(f"`{name}`" for name in row.ours.split())
    file, _, name = shown_by(row).partition("::")
    words = row.words or words_of(row.official)
    test = f"[{name}](../tests/{file})"
    return f"| `{row.official}` | {requests()[row.official]} | {ours} | {words} | {test} |"


def shown_by(row: Row) -> str:
    """The test of a row: its own, or that of our first method on the page of requests."""
    return row.test or _tests()[row.ours.split()[0]]


def words_of(official: str) -> str:
    """What the simulated TWS does with a request: it is served, or what its refusal says."""
    number = requests()[official]
    kind = _classes().get(number)
    if kind in _served():
        return "served"
    heard = _Heard()
    request = Unknown(number, ()) if kind is None else kind(*[0] * len(kind.__struct_fields__))
    refuse(heard, request)  # type: ignore[arg-type]
    return heard.said


class _Heard:
    """The session of a request that is refused: what it was told."""

    client_id = None
    said = "silent, as TWS is"

    def error(self, req_id: int, code: int, text: str) -> None:
        self.said = f"{code} {text}"

    def send(self, message: Answer) -> None:
        self.said = f"an empty `{type(message).__name__}`"


@cache
def _classes() -> dict[int, type[Any]]:
    return {layout.id: layout.message for layout in REQUESTS}


@cache
def _served() -> frozenset[type]:
    return SimulatedTWS(SimulatorOptions(paused=True)).core.desk.served()


@cache
def _tests() -> dict[str, str]:
    """Method and test of each row of docs/design/requests.md."""
    found = re.findall(
        r"^\| `(\w+)` .*\| \*?`(test_\w+\.py::\w+)`\*? \|$", REQUESTS_PAGE.read_text(encoding="utf-8"), re.M
    )
    return {method: f"connection/{test}" for method, test in found}
