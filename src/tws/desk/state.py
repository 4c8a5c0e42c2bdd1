"""What the desk knows."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["DeskState"]


class DeskState(Struct):
    """Filled in by `tws.desk.apply` alone."""
