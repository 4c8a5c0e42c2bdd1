"""docs/official-requests.md has a row for each request of the official client, and no row lies: its method
is there, its test is there and uses it, the page is the written one.
"""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from functools import cache

import pytest
from tests.index.official import requests
from tests.index.page import PAGE, ROOT, is_served, shown_by, written
from tests.index.rows import FAMILIES, Row

from tws.connection import SyncConnection, TWSConnection
from tws.connection.families import groups, summaries
from tws.connection.hearing.replies import Reply
from tws.connection.streaming import barstreams, depthstream, newsstreams, statestreams, streams

ROWS = [row for rows in FAMILIES.values() for row in rows]
GIVEN = {
    name: kind
    for module in (streams, barstreams, depthstream, statestreams, newsstreams, groups, summaries)
    for name, kind in inspect.getmembers(module, inspect.isclass)
} | {"Reply": Reply}
"""Classes that a method of ours gives, whose own methods a row may name."""


def test_the_official_client_is_the_newest() -> None:
    """What is read from its source is what the table was written for."""
    assert len(requests()) == 85
    assert {"startApi": 71, "placeOrder": 3, "reqConfigProtoBuf": 108}.items() <= requests().items()
    assert not {"placeOrderProtoBuf", "connect", "run"} & requests().keys()


def test_every_request_of_the_official_client_has_its_row() -> None:
    told = Counter(row.official for row in ROWS)
    assert {name: told[name] for name in {*told, *requests()}} == dict.fromkeys(requests(), 1)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.official)
def test_a_row_names_methods_that_are_there(row: Row) -> None:
    for name in row.ours.split():
        of, _, method = name.rpartition(".")
        assert hasattr(GIVEN[of] if of else TWSConnection, method), name
        if name.startswith(("request_", "stream_", "download_")):
            assert hasattr(SyncConnection, name), name


@cache
def functions_of(file: str) -> dict[str, str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: ast.unparse(node) for node in tree.body if isinstance(node, functions)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.official)
def test_a_row_names_a_test_that_is_there_and_shows_it(row: Row) -> None:
    file, _, name = shown_by(row).partition("::")
    assert name in functions_of(file), f"tests/{file} has no {name}"
    nearest = row.ours.split()[0].rpartition(".")[2]
    whole = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert f"{nearest}(" in whole or f"official.{row.official}(" in whole, f"tests/{file} never calls it"


def test_the_simulator_serves_them_all() -> None:
    assert [row.official for row in ROWS if not is_served(row.official)] == []


def test_the_page_is_the_written_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == written(), "run: make index"
