"""The scenarios, in the order of the table. Importing a module registers what it holds."""

from __future__ import annotations

from importlib import import_module

from tests.conformance.scenarios.base import CLIENT_ID, SCENARIOS, Scenario

__all__ = ["CLIENT_ID", "SCENARIOS", "Scenario"]

for _name in (
    "link",
    "contracts",
    "live",
    "past",
    "orders",
    "conditions",
    "refusals",
    "books",
    "money",
    "instruments",
    "types",
    "lists",
    "exercises",
    "advisors",
    "beside",
    "mishaps",
):
    import_module(f"{__name__}.{_name}")
