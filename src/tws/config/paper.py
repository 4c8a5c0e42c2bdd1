"""The section `[paper]`: what is let pass on a paper account alone. A run on a live one refuses it."""

from __future__ import annotations

from typing import Any

from tws.config.section import Section

__all__ = ["PaperSection"]


class PaperSection(Section):
    """Leave it out for what a live account would do as well."""

    allow_delayed: bool = False
    """Let delayed data carry an entry, for a login without a subscription: prices are minutes old."""

    def limits(self) -> dict[str, Any]:
        """What it adds to the limits, by the names of `tws.risk.Limits`."""
        return {"delayed_quotes": True} if self.allow_delayed else {}
