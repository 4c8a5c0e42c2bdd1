"""Signs for every encoding, and a stream that never stops the process."""

from __future__ import annotations

import io
import json
import sys

import pytest

from tws.cli.console import ASCII, UNICODE, glyphs, make_console, prepare_output, print_json


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", UNICODE), ("cp1252", ASCII), ("cp437", ASCII), ("ascii", ASCII)]
)
def test_signs_are_all_of_one_kind(encoding: str, expected: object) -> None:
    assert glyphs(stream(encoding)) is expected


def test_a_stream_without_an_encoding_gets_ascii() -> None:
    assert glyphs(io.StringIO()) is ASCII
    assert all("".join(ASCII).isascii() for _ in ASCII)


def test_what_cannot_be_written_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = stream("cp1252"), stream("ascii")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    prepare_output()
    print("done ✓ 株式")
    print("done ✓", file=sys.stderr)
    assert out.buffer.getvalue().startswith(b"done ? ??")  # type: ignore[attr-defined]
    assert err.buffer.getvalue().startswith(b"done ?")  # type: ignore[attr-defined]


def test_a_stream_that_cannot_be_prepared_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    prepare_output()


def test_json_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    print_json({"name": "Zürich ✓"})
    assert out.getvalue().isascii()
    assert json.loads(out.getvalue()) == {"name": "Zürich ✓"}


def test_a_console_into_a_file_breaks_no_lines_and_draws_in_ascii() -> None:
    from rich.table import Table

    out = stream("cp1252")
    console = make_console(out)
    console.print("x" * 300)
    table = Table("a", "b")
    table.add_row("1", "2")
    console.print(table)
    text = out.buffer.getvalue().decode("cp1252")  # type: ignore[attr-defined]
    assert "x" * 300 in text
    assert "\x1b" not in text
