"""What a frame that moves money asks for is read from its own bytes, whole or not at all."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.wire.binary import binary_messages
from tests.wire.generators import messages

from tws.connection.encoding.frames import call_of_frame
from tws.connection.ordering.calls import MoneyKind
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.layouts import REQUESTS
from tws.wire.messages import ExerciseOptionsRequest, FAReplace, UpdateConfigRequest

FEW = settings(
    max_examples=15, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
EXERCISE = next(layout for layout in REQUESTS if layout.message is ExerciseOptionsRequest)
SMALL = {
    "exercise_action": st.integers(0, 3),
    "exercise_quantity": st.integers(-1, 3),
    "contract.multiplier": st.sampled_from(["", "100", "50"]),
}
VERSIONS = st.sampled_from([176, 200, 225])


@FEW
@given(messages(EXERCISE, SMALL), VERSIONS)
def test_an_exercise_is_read_whole_or_not_at_all(sent: ExerciseOptionsRequest, version: int) -> None:
    call = call_of_frame(MoneyKind.EXERCISE, frame(codec.encode(sent, version)), version)
    read = codec.decode_request(codec.encode(sent, version), version)
    assert isinstance(read, ExerciseOptionsRequest) and call.kind is MoneyKind.EXERCISE
    if sent.exercise_action not in (1, 2) or sent.exercise_quantity < 1:
        assert call.beyond and call.exercise is None
        return
    wish, contract = call.exercise, call.contract
    assert wish is not None and contract is not None and not call.beyond
    assert (call.order_id, call.account) == (read.order_id, read.account)
    assert (wish.action, wish.quantity, wish.override) == (
        read.exercise_action, read.exercise_quantity, read.override,
    )  # fmt: skip
    assert (contract.con_id, contract.symbol, contract.multiplier) == (
        read.contract.con_id, read.contract.symbol, read.contract.multiplier,
    )  # fmt: skip


@FEW
@given(binary_messages(UpdateConfigRequest))
def test_a_change_of_settings_says_what_it_changes(sent: UpdateConfigRequest) -> None:
    call = call_of_frame(MoneyKind.UPDATE_CONFIG, frame(codec.encode(sent, 225)), 225)
    assert call.says and not call.beyond
    if sent.reset_api_order_sequence is not None:
        assert f"reset_api_order_sequence = {sent.reset_api_order_sequence}" in call.says


@FEW
@given(st.binary(min_size=1, max_size=40), st.sampled_from(MoneyKind), VERSIONS)
def test_what_can_not_be_read_is_beyond(noise: bytes, kind: MoneyKind, version: int) -> None:
    call = call_of_frame(kind, frame(noise), version)
    assert call.kind is kind and call.exercise is None
    assert call.beyond


def test_a_frame_of_another_kind_is_beyond() -> None:
    replacement = frame(codec.encode(FAReplace(1, 1, "<a/>"), 200))
    for kind in (MoneyKind.UPDATE_CONFIG, MoneyKind.EXERCISE, MoneyKind.PLACE):
        assert call_of_frame(kind, replacement, 200).beyond == f"{kind.value}: FAReplace"


def test_no_account_of_a_replacement_is_told() -> None:
    call = call_of_frame(MoneyKind.REPLACE_FA, frame(codec.encode(FAReplace(1, 1, "<a>DU101</a>"), 200)), 200)
    assert call.says == "advisors' groups, 12 characters"
