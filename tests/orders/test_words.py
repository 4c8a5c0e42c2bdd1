"""Each kind of record has its sentence; a new kind joins, or this fails."""

from __future__ import annotations

import enum
import importlib
import pkgutil
import typing
from decimal import Decimal
from typing import Any

import msgspec
import pytest

import tws.model
from tws.model.record import JournalRecord
from tws.model.records import Record
from tws.orders.story import _WORDS
from tws.orders.words import WORDS

KINDS = typing.get_args(Record)


def every_kind() -> set[type]:
    """Every record class of every module of the model, listed in `Record` or not."""
    for module in pkgutil.iter_modules(tws.model.__path__):
        importlib.import_module(f"tws.model.{module.name}")
    return set(JournalRecord.__subclasses__())


def sample(kind: type[Any]) -> Any:
    """An instance with a plain value in each field, those with defaults too."""
    return kind(**{field.name: _value(field.type) for field in msgspec.structs.fields(kind)})


def _value(kind: Any) -> Any:
    options = typing.get_args(kind)
    if type(None) in options:
        return _value(next(each for each in options if each is not type(None)))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return sample(kind)
    plain = {str: "word", int: 7, float: 7.0, bool: True, Decimal: Decimal(7)}
    if kind in plain:
        return plain[kind]
    return {} if "apping" in str(kind) or "dict" in str(kind) else ()


def test_no_kind_is_left_out_of_the_journal() -> None:
    assert every_kind() == set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_has_words_of_its_own(kind: type[Any]) -> None:
    assert (kind in WORDS) is not (kind in _WORDS), "in one of the two tables"


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_its_words_are_a_sentence(kind: type[Any]) -> None:
    text = WORDS[kind](sample(kind))
    assert text[0].isupper() or text.startswith("word"), text
    assert text.endswith(".") and "  " not in text and "None" not in text, text
    assert "{" not in text and kind.__name__ not in text.split(), text
