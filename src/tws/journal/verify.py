"""Is this journal whole? Every row proven by the chain, the chain held against every head that was kept.

What is asked: the heads that its writers found (in the file), the newest head (in the file beside it), and
one that the caller names: out of a report, an alert, or a head file that was carried elsewhere. An answer
is a `Proof`; what is not whole raises JournalError (corrupt) and names the row.

A rewriting of the journal *and* of the file beside it is seen only by a head that was carried elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tws.errors import ConfigError
from tws.journal.chain import Chain, Head, Kept, genesis, open_to_read
from tws.journal.faults import corrupt, in_words
from tws.journal.headfile import head_path, read_head
from tws.journal.layout import check_layout, guards

__all__ = ["Proof", "verify_journal"]


class Proof(Struct, frozen=True, kw_only=True):
    """A journal that is whole: how many records, its head, and what it was held against.

    `notes` say what the proof does not reach, and what a reader should know; none of them is damage.
    """

    path: str
    records: int
    head: Head
    openings: int
    layout: int
    held_against: tuple[str, ...]
    notes: tuple[str, ...] = ()


def verify_journal(
    path: Path, head: str | None = None, *, look: Callable[[int, bytes], object] | None = None
) -> Proof:
    """Prove the whole journal at `path`; it may be written meanwhile.

    `head` is a head as text (`<row>:<hash>`), the hash alone, or a file that holds one. `look` sees each row
    and its payload once that is proven, and what it raises goes through.

    Raises JournalError: corrupt (not whole; `sequence` is the row), foreign, unwritable. Raises ConfigError
    for a `head` that is none.
    """
    path = Path(path).absolute()
    beside = read_head(head_path(path))  # before the rows: a writer may add some meanwhile
    layout, odd, named = _examine(path, head)
    kept = [] if beside is None else [Kept(beside, "the file beside it keeps")]
    if named is not None:
        kept.append(Kept(named, "was named"))
    chain = Chain(path, kept=kept)
    row = 0
    for page in chain.pages():
        if look is None:
            continue
        for payload in page:
            row += 1
            look(row, payload)
    held = [
        f"{chain.openings} openings",
        *(f"the head that {each.keeper} ({each.head.seq})" for each in kept),
    ]
    notes = list(odd)
    if beside is None:
        notes.append("no head is kept beside it: an end cut off since its last opening would not show")
    return Proof(
        path=str(path),
        records=chain.head.seq,
        head=chain.head,
        openings=chain.openings,
        layout=layout,
        held_against=tuple(held),
        notes=tuple(notes),
    )


def _examine(path: Path, head: str | None) -> tuple[int, list[str], Head | None]:
    """The layout, what is odd about the file, and the head that was named with its row."""
    try:
        database = open_to_read(path)
        try:
            layout = check_layout(path, database)
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            missing = sorted(guards(layout) - {name for (name,) in rows})
            notes = [f"triggers that refuse changes were taken out: {', '.join(missing)}"] if missing else []
            return layout, notes, None if head is None else _named(path, head, database)
        finally:
            database.close()
    except sqlite3.DatabaseError as error:
        raise in_words(path, error) from error


def _named(path: Path, text: str, database: sqlite3.Connection) -> Head:
    """A head by its text, by its hash alone, or by the file that it stands in."""
    try:
        return Head.parse(text)
    except ValueError:
        pass
    digits = text.strip().lower()
    if len(digits) == 64 and all(sign in "0123456789abcdef" for sign in digits):
        return _find_link(path, bytes.fromhex(digits), database)
    try:
        found = read_head(Path(text)) or Head.parse(Path(text).read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        cure = "Give <row>:<hash> or the hash from a report or an alert, or a file that holds it"
        raise ConfigError("head", text[:80], "is neither a head nor a file with one", cure) from None
    return found


def _find_link(path: Path, link: bytes, database: sqlite3.Connection) -> Head:
    start = genesis(path, database)
    if link == start.link:
        return start
    row = database.execute("SELECT seq FROM record WHERE link = ?", (link,)).fetchone()
    if row is None:
        raise corrupt(
            path,
            None,
            "none bears the head that was named: the end was cut off, or the chain was "
            "computed anew, or it is the head of another journal",
        )
    return Head(int(row[0]), link)
