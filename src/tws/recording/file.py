"""The file of a recording: JSON lines, one for each frame, readable by people and by `read`.

    {"tws_recording": 1, "started": "2026-11-23T14:30:00Z", "redacted": true}
    {"session": 1, "t": 0.0, "mark": "open"}
    {"session": 1, "t": 0.001, "from": "client", "hello": "v100..176"}
    {"session": 1, "t": 0.002, "from": "tws", "fields": ["176", "20261123 09:30:00 EST"]}
    {"session": 1, "t": 0.002, "from": "client", "fields": ["71", "2", "7", ""]}
    {"session": 1, "t": 0.010, "from": "tws", "id": 9, "fields": ["1", "42"]}
    {"session": 1, "t": 0.020, "from": "tws", "id": 204, "body": "CAES..."}
    {"session": 1, "t": 9.5, "mark": "client closed"}

`t` is seconds since the recording began, `session` counts the connections. `fields` are the texts of a
frame; with an `id` beside them they stood behind a binary message id, as from server version 201 on; a
`body` is base64 of what is no text (protobuf). What could not be framed at all is a mark with `bytes`.
Nothing is lost but the borders of the network's packets. Text is UTF-8; a byte that is none is kept as a
lone surrogate, as Python's "surrogateescape" does.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tws.errors import DataError

__all__ = ["FORMAT", "Entry", "Frame", "Mark", "Recording", "Source", "line_of", "read"]

FORMAT = 1
BINARY_FROM = 201
"""From this server version on a message id is four bytes (TWS-BEHAVIOUR.md F1)."""
LONGEST_LINE = 64 * 2**20

Source: TypeAlias = Literal["client", "tws"]
MARKS = ("open", "client closed", "tws closed", "client reset", "tws reset", "unframed")


class Frame(Struct, frozen=True):
    """One frame: `payload` is what stands behind its length; the client's hello has `hello` set.

    `line` is where it stands in its file, 0 while it was not read from one.
    """

    session: int
    t: float
    source: Source
    payload: bytes
    hello: bool = False
    line: int = 0


class Mark(Struct, frozen=True):
    """What happened to a connection; `data` holds bytes that were no frame ("unframed")."""

    session: int
    t: float
    what: str
    data: bytes = b""
    line: int = 0


Entry: TypeAlias = Frame | Mark


class Recording(Struct, frozen=True):
    """A whole file: its header and all that happened, in order."""

    path: Path
    started: str
    redacted: bool
    entries: tuple[Entry, ...]

    def sessions(self) -> tuple[tuple[Frame, ...], ...]:
        """The frames of each connection, in the order in which the connections began."""
        found: dict[int, list[Frame]] = {}
        for entry in self.entries:
            rows = found.setdefault(entry.session, [])
            if isinstance(entry, Frame):
                rows.append(entry)
        return tuple(tuple(rows) for rows in found.values())


# -- writing ------------------------------------------------------------------------------------


def header(started: str, *, redacted: bool) -> str:
    """The first line of a file."""
    return json.dumps({"tws_recording": FORMAT, "started": started, "redacted": redacted}) + "\n"


def line_of(entry: Entry, version: int = 0) -> str:
    """An entry as a line; `version` is the session's server version, 0 while it is not agreed."""
    row: dict[str, Any] = {"session": entry.session, "t": round(entry.t, 6)}
    if isinstance(entry, Mark):
        row["mark"] = entry.what
        if entry.data:
            row["bytes"] = b64encode(entry.data).decode("ascii")
        return json.dumps(row) + "\n"
    row["from"] = entry.source
    payload = entry.payload
    if entry.hello:
        row["hello"] = _text(payload)
    elif version >= BINARY_FROM and len(payload) >= 4:
        row["id"] = int.from_bytes(payload[:4], "big")
        _put_body(row, payload[4:], plain=row["id"] < BINARY_FROM)
    else:
        _put_body(row, payload, plain=True)
    return json.dumps(row) + "\n"


def _put_body(row: dict[str, Any], body: bytes, *, plain: bool) -> None:
    if plain and (body.endswith(b"\0") or not body):
        row["fields"] = [_text(field) for field in body.split(b"\0")[:-1]]
    else:
        row["body"] = b64encode(body).decode("ascii")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# -- reading ------------------------------------------------------------------------------------


def read(path: Path) -> Recording:
    """Read a recording. Raises DataError naming file, line and field for whatever is wrong with it."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            lines = iter(enumerate(file, start=1))
            number, first = next(lines, (1, ""))
            head = _object(path, number, first)
            if head.get("tws_recording") != FORMAT:
                reason = f"field tws_recording: this is no recording of format {FORMAT}"
                raise DataError(path, number, reason)
            entries = tuple(_entry(path, number, text) for number, text in lines if text.strip())
    except OSError as error:
        raise DataError(path, 0, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise DataError(path, 0, f"not UTF-8 at byte {error.start}") from error
    _check(path, entries)
    return Recording(path, str(head.get("started", "")), bool(head.get("redacted", False)), entries)


def _object(path: Path, number: int, text: str) -> dict[str, Any]:
    if len(text) > LONGEST_LINE:
        raise DataError(path, number, f"a line of {len(text)} characters")
    try:
        row = json.loads(text)
    except ValueError as error:
        half = "" if text.endswith("\n") else " (the last line is cut off)"
        raise DataError(path, number, f"no JSON{half}: {error}") from None
    if not isinstance(row, dict):
        raise DataError(path, number, "no JSON object")
    return row


class _Row:
    """The fields of one line, each asked for with its type."""

    def __init__(self, path: Path, number: int, row: dict[str, Any]) -> None:
        self._path, self._number, self._row = path, number, row

    def wrong(self, field: str, what: str) -> DataError:
        return DataError(self._path, self._number, f"field {field}: {what}")

    def __contains__(self, field: str) -> bool:
        return field in self._row

    def whole(self, field: str, most: int) -> int:
        value = self._row.get(field)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self.wrong(field, f"{value!r} is no whole number from 0 to {most}")
        return value

    def seconds(self, field: str) -> float:
        value = self._row.get(field)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
            raise self.wrong(field, f"{value!r} is no number of seconds")
        return float(value)

    def word(self, field: str, allowed: tuple[str, ...]) -> str:
        value = self._row.get(field)
        if value not in allowed:
            raise self.wrong(field, f"{value!r} is none of {', '.join(allowed)}")
        return str(value)

    def text(self, field: str) -> bytes:
        value = self._row.get(field)
        if not isinstance(value, str):
            raise self.wrong(field, f"{value!r} is no text")
        return self._bytes(field, value)

    def texts(self, field: str) -> bytes:
        value = self._row.get(field)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.wrong(field, "is no list of texts")
        parts = [self._bytes(field, one) for one in value]
        if any(b"\0" in part for part in parts):
            raise self.wrong(field, "a text holds a NUL")
        return b"".join(part + b"\0" for part in parts)

    def base64(self, field: str) -> bytes:
        value = self._row.get(field, "")
        try:
            return b64decode(value, validate=True)
        except (Base64Error, ValueError, TypeError):
            raise self.wrong(field, "is no base64") from None

    def _bytes(self, field: str, value: str) -> bytes:
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise self.wrong(field, "holds a character that is none") from None


def _entry(path: Path, number: int, text: str) -> Entry:
    row = _Row(path, number, _object(path, number, text))
    session, t = row.whole("session", 10**6), row.seconds("t")
    if "mark" in row:
        return Mark(session, t, row.word("mark", MARKS), row.base64("bytes"), number)
    source: Source = "client" if row.word("from", ("client", "tws")) == "client" else "tws"
    if "hello" in row:
        return Frame(session, t, source, row.text("hello"), True, number)
    head = row.whole("id", 2**31 - 1).to_bytes(4, "big") if "id" in row else b""
    if "fields" not in row and "body" not in row:
        raise row.wrong("fields", "is missing, and there is no body either")
    body = row.texts("fields") if "fields" in row else row.base64("body")
    return Frame(session, t, source, head + body, False, number)


def _check(path: Path, entries: tuple[Entry, ...]) -> None:
    """Each session opens with the client's hello and the reply of TWS."""
    seen: dict[int, int] = {}
    for entry in _frames(entries):
        place = seen[entry.session] = seen.get(entry.session, 0) + 1
        if place == 1 and not (entry.hello and entry.source == "client"):
            raise DataError(path, entry.line, "field hello: a session begins with the client's hello")
        if place == 2 and entry.source != "tws":
            raise DataError(path, entry.line, "field from: the reply of TWS follows the hello")


def _frames(entries: tuple[Entry, ...]) -> Iterator[Frame]:
    return (entry for entry in entries if isinstance(entry, Frame))
