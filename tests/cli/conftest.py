"""A journal that a desk wrote, and the command line in this process."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.desk.conftest import AAPL, Bench

from tws.cli.app import main
from tws.journal import SQLiteStore


@pytest.fixture
def bench() -> Bench:
    """A day: one trade done, one position held, one order that waits, one wish denied, one foreign order."""
    bench = Bench()
    bench.begin()
    done = bench.enter(signal="done")
    bench.work(done)
    bench.fill(done.entry, 100)
    bench.fill(done.target, 100, "104.00")
    bench.pair(done.stop, "Cancelled")
    held = bench.enter(50, contract=AAPL)
    bench.work(held)
    bench.fill(held.entry, 50)
    bench.enter(10, limit=99.0)
    bench.enter(10**9, signal="greedy")
    return bench


@pytest.fixture
def path(tmp_path: Path, bench: Bench) -> Path:
    path = tmp_path / "journal.sqlite3"
    with closing(SQLiteStore(path)) as store:
        store.append(bench.rows)
    return path


class Call:
    """Runs a command in this process; answers its exit code and what it wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        captured = self._capsys.readouterr()
        return int(ended.value.code or 0), captured.out + captured.err

    def json(self, *words: object) -> tuple[int, Any]:
        code, out = self(*words, "--json")
        return code, json.loads(out)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    return Call(capsys)
