"""How far a request that needs many has come."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Progress"]


class Progress(Struct, frozen=True, kw_only=True):
    """`done` of `total` requests are answered and brought `rows` rows so far; `at` names the latest one."""

    done: int
    total: int
    rows: int = 0
    at: str = ""
