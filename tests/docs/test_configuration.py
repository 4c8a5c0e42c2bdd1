"""docs/design/configuration.md names every setting that the sections have, and no section is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from tws.config import Settings

PAGE = Path(__file__).parents[2] / "docs" / "design" / "configuration.md"


def sections(kind: Any) -> Iterator[type[BaseModel]]:
    """The sections that an annotation holds, and those within them."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for info in kind.model_fields.values():
            yield from sections(info.annotation)
    for part in get_args(kind):
        yield from sections(part)


def settings() -> list[tuple[str, str]]:
    return sorted(
        {(kind.__name__, info.alias or name) for kind in sections(Settings)
         for name, info in kind.model_fields.items()}
    )  # fmt: skip


def test_there_is_something_to_name() -> None:
    names = {section for section, _ in settings()}
    assert {"WebhookSignalsSection", "PythonStrategySection", "OverrideSection", "CodeSection"} <= names


@pytest.mark.parametrize(("section", "setting"), settings())
def test_each_setting_is_named(section: str, setting: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.search(rf"\b{re.escape(setting)}\b", text), f"{section}.{setting}"
