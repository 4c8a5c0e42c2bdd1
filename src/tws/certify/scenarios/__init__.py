"""The scenarios, family by family, in the order in which they are played."""

from __future__ import annotations

from importlib import import_module

from tws.certify.register import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "Scenario"]

for _name in (
    "session",
    "contracts",
    "history",
    "market",
    "research",
    "accounts",
    "orders",
    "linked",
    "types",
    "refusals",
):
    import_module(f"{__name__}.{_name}")
