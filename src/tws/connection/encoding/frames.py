"""What a frame that moves money and is no order asks for, read back from its own bytes.

So one reading serves our calls and the official client's, text and protobuf, and a guard judges what leaves
and nothing else. What cannot be read is named in `beyond`, and no guard approves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from msgspec import Struct

from tws.connection.hearing.reading import contract_of
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.errors import DecodeError
from tws.model.exercise import Exercise, ExerciseAction
from tws.wire import codec
from tws.wire.messages import ExerciseOptionsRequest, FAReplace, UpdateConfigRequest

__all__ = ["call_of_frame", "stated"]

FA_KINDS = {1: "groups", 2: "profiles", 3: "aliases"}
"""TWS's numbers (official client)."""


def call_of_frame(kind: MoneyKind, frame: bytes, server_version: int) -> MoneyCall:
    """The call behind one frame, its length prefix included."""
    try:
        request = codec.decode_request(frame[4:], server_version)
        if isinstance(request, ExerciseOptionsRequest) and kind is MoneyKind.EXERCISE:
            return _exercise(request)
    except (DecodeError, ValueError) as error:
        return MoneyCall(kind=kind, beyond=f"{kind.value}: {error}")
    if isinstance(request, FAReplace) and kind is MoneyKind.REPLACE_FA:
        what = FA_KINDS.get(request.fa_data_type, f"kind {request.fa_data_type}")
        return MoneyCall(kind=kind, says=f"advisors' {what}, {len(request.xml)} characters")
    if isinstance(request, UpdateConfigRequest) and kind is MoneyKind.UPDATE_CONFIG:
        words = (f"{path} = {value!r}" for path, value in stated(request, {"req_id"}))
        return MoneyCall(kind=kind, says=", ".join(words) or "nothing")
    return MoneyCall(kind=kind, beyond=f"{kind.value}: {type(request).__name__}")


def _exercise(request: ExerciseOptionsRequest) -> MoneyCall:
    wish = Exercise(
        quantity=request.exercise_quantity,
        action=ExerciseAction(request.exercise_action),
        account=request.account,
        override=request.override,
        manual_order_time=request.manual_order_time,
        customer_account=request.customer_account,
        professional_customer=request.professional_customer,
    )
    return MoneyCall(
        kind=MoneyKind.EXERCISE, order_id=request.order_id, account=request.account,
        contract=contract_of(request.contract), exercise=wish,
    )  # fmt: skip


def stated(message: Struct, apart: Set[str] = frozenset(), prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The attributes of a message that say something: their paths, and their values."""
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if name in apart or value in (None, "", ()):
            continue
        if isinstance(value, Struct):
            yield from stated(value, prefix=f"{prefix}{name}.")
        elif isinstance(value, tuple) and isinstance(value[0], Struct):
            for place, row in enumerate(value):
                yield from stated(row, prefix=f"{prefix}{name}[{place}].")
        else:
            yield f"{prefix}{name}", value
