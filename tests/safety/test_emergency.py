"""Emergency records: groups are whole or absent, nothing is read twice, and the bound refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.safety.torn import differences

from tws.errors import SafetyError
from tws.safety import Process, SafetyFile, this_process
from tws.safety.emergency import MAX_RECORD, PLACES

SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
GROUPS = st.lists(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5), max_size=8)


DEAD = Process(host=this_process().host, pid=2**22 + 5, started="never")


def opened(path: Path, me: Process | None = None) -> SafetyFile:
    safety = SafetyFile(path, me=me)
    safety.take_lease(client_id=1, at_ns=1)
    return safety


@SHARED
@given(groups=GROUPS, more=GROUPS)
def test_what_was_kept_is_read_once(
    tmp_path: Path, groups: list[list[bytes]], more: list[list[bytes]]
) -> None:
    (tmp_path / "s").unlink(missing_ok=True)
    with opened(tmp_path / "s") as safety:
        for group in groups:
            safety.emergency_append(*group)
        safety.release()
    with opened(tmp_path / "s") as again:
        assert again.emergency_read() == [record for group in groups for record in group]
        again.emergency_clear()
        assert again.emergency_read() == []
        for group in more:
            again.emergency_append(*group)
        assert again.emergency_read() == [record for group in more for record in group]
        again.release()


@SHARED
@given(
    groups=st.lists(
        st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5), min_size=1, max_size=5
    ),
    data=st.data(),
)
def test_a_group_torn_at_any_byte_is_absent_and_those_before_it_are_whole(
    tmp_path: Path, groups: list[list[bytes]], data: st.DataObject
) -> None:
    path = tmp_path / "s"
    path.unlink(missing_ok=True)
    *earlier, last = groups
    with opened(path, DEAD) as safety:
        for group in earlier:
            safety.emergency_append(*group)
        before = path.read_bytes()
        safety.emergency_append(*last)
        after = path.read_bytes()
        safety.release()
    changed = differences(before, after)
    lost = data.draw(st.sets(st.sampled_from(changed), min_size=1))
    torn = bytearray(after)
    for at in sorted(lost):
        torn[at] = before[at]
    path.write_bytes(torn)
    with opened(path) as again:
        kept = [record for group in earlier for record in group]
        assert again.emergency_read() == kept
        again.emergency_clear()
        again.emergency_append(b"new")
        assert again.emergency_read() == [b"new"], "what was torn never comes back"
        again.release()


def test_too_many_or_too_long_are_refused_and_nothing_is_written_over(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as safety:
        with pytest.raises(SafetyError, match="a place holds"):
            safety.emergency_append(b"x" * (MAX_RECORD + 1))
        safety.emergency_append(*[b"%d" % number for number in range(PLACES)])
        with pytest.raises(SafetyError) as error:
            safety.emergency_append(b"one more")
        assert error.value.kind == "full"
        assert safety.emergency_read() == [b"%d" % number for number in range(PLACES)]
        safety.emergency_clear()
        safety.emergency_append(b"one more")
        assert safety.emergency_read() == [b"one more"]
