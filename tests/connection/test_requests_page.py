"""docs/design/requests.md says what the code does: which methods there are, what they give and hear."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tws.connection import TWSConnection
from tws.connection.hearing.answers import Answers
from tws.connection.ids import OURS_FIRST, OrderIds, RequestIds
from tws.connection.lane import FactLanes
from tws.wire.layouts import ANSWERS, REQUESTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/design/requests.md").read_text(encoding="utf-8")

ASKED = re.compile(
    r"(request|stream|download|exercise|lapse|replace|update)_|bind_manual_orders|cancel_all_orders|set_server_log_level"
)
NO_REQUESTS = {"request_rate"}  # a figure
ERROR = 4  # about any of them


class Row(NamedTuple):
    method: str
    requests: set[int]
    answers: set[int]
    gives: str
    test: str


def rows() -> list[Row]:
    found = []
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0].startswith("`"):
            ids = [{int(number) for number in re.findall(r"\d+", cell)} for cell in cells[1:3]]
            found.append(Row(cells[0].strip("`"), *ids, cells[3].strip("`"), cells[5].strip("*`")))
    return found


ROWS = rows()


def test_every_method_has_its_row() -> None:
    methods = {name for name in dir(TWSConnection) if ASKED.match(name)} - NO_REQUESTS
    assert sorted(row.method for row in ROWS) == sorted(methods)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.method)
def test_a_row_says_what_the_method_gives(row: Row) -> None:
    given = str(inspect.signature(getattr(TWSConnection, row.method)).return_annotation)
    if given.startswith("Reply["):
        given = given.removeprefix("Reply[").removesuffix("]")
    assert row.gives == given
    assert getattr(TWSConnection, row.method).__doc__


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.method)
def test_a_row_names_a_test_that_is_there(row: Row) -> None:
    file, _, name = row.test.partition("::")
    source = (ROOT / "tests/connection" / file).read_text(encoding="utf-8")
    tests = {
        node.name: ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in tests
    with_helpers = tests[name] + "".join(text for other, text in tests.items() if f"{other}(" in tests[name])
    assert f"{row.method}(" in with_helpers, "the test never calls it"


def test_the_ids_are_those_of_the_wire() -> None:
    requests, answers = {layout.id for layout in REQUESTS}, {layout.id for layout in ANSWERS}
    for row in ROWS:
        assert row.requests <= requests and row.answers <= answers, row.method


def test_every_answer_that_is_heard_has_its_place() -> None:
    heard = Answers(None, FactLanes(None, None), OrderIds(), RequestIds(OURS_FIRST), 1.0).handlers  # type: ignore[arg-type]
    ids = {layout.id for layout in ANSWERS if layout.message in heard}
    told = {number for row in ROWS for number in row.answers}
    assert ids - {ERROR} == told
