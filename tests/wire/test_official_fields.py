"""No field of the official protobuf classes (API 10.46) is without an attribute of ours, in any message, so
that nothing which a server version up to 225 says is lost on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct
from tests.wire.binary import NEVER, since

from tws.wire.layouts import ANSWERS, REQUESTS
from tws.wire.protobuf.mapping import Pair, official_class, pairs

KINDS = [layout.message for layout in (*REQUESTS, *ANSWERS) if since(layout) < NEVER]
ELSEWHERE = {
    "Order.orderId",  # it stands beside the order
    "ComboLeg.perLegPrice",  # in the order: LEG_PRICES
}
"""Fields that no attribute of the same struct holds."""


def unpaired(struct: type[Struct], descriptor: Any, seen: set[str]) -> Iterator[str]:
    """The fields of a class, and of those inside it, that nobody reads or writes."""
    if descriptor.name in seen:
        return
    seen.add(descriptor.name)
    found = pairs(struct, descriptor)
    inline = [inner for pair in found if pair.shape == "inline" for inner in pair.inner]
    named = {pair.field for pair in (*found, *inline)}
    yield from (f"{descriptor.name}.{field.name}" for field in descriptor.fields if field.name not in named)
    for pair in _with_more(found):
        assert pair.struct is not None
        yield from unpaired(pair.struct, pair.descriptor, seen)


def _with_more(found: list[Pair]) -> Iterator[Pair]:
    yield from (pair for pair in found if pair.shape in ("message", "repeated") and pair.struct is not None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_field_is_missing(kind: type[Struct]) -> None:
    assert set(unpaired(kind, official_class(kind).DESCRIPTOR, set())) - ELSEWHERE == set()
