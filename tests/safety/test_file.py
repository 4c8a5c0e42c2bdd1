"""The safety file on a real disk: what a second process sees, what a torn write leaves, whose lease it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.safety.torn import differences

from tws.errors import SafetyError
from tws.model.stop import KillState, Scope, ScopeKind
from tws.platform import lock_handle
from tws.safety import Process, SafetyFile, Unlock, this_process
from tws.safety.file import SIZE
from tws.safety.slots import SLOT_SIZE

NOW = 1_800_000_000 * 10**9
SLOTS = (4096, 4096 + SLOT_SIZE)
SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
DEAD = Process(host=this_process().host, pid=2**22 + 5, started="never")
SPY = Scope(kind=ScopeKind.SYMBOL, name="SPY")
ELSEWHERE = Process(host="another-host", pid=this_process().pid, started=this_process().started)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "safety"


def run(script: str, *arguments: object) -> str:
    """A second process; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LATCH = """
import sys
from tws.model.stop import KillState
from tws.safety import SafetyFile
with SafetyFile(sys.argv[1]) as safety:
    safety.latch(KillState.LATCHED, at_ns=1, reason="pulled", operator="second")
"""


def test_a_new_file_is_whole_unlatched_and_its_owners_alone(path: Path) -> None:
    with SafetyFile(path) as safety:
        assert not safety.latched
        assert safety.epoch == 0
        assert path.stat().st_size == SIZE
        if sys.platform != "win32":
            assert path.stat().st_mode & 0o077 == 0
            assert path.stat().st_blocks * 512 >= SIZE, "holes would want space when the disk is full"
    assert sorted(each.name for each in path.parent.iterdir()) == ["safety", "safety-lock"]


def test_a_second_process_latches_what_the_trader_holds(path: Path) -> None:
    with SafetyFile(path) as trader:
        trader.take_lease(client_id=1, at_ns=NOW)
        assert not trader.latched
        assert not trader.fenced
        run(LATCH, path)
        assert trader.latched
        [latch] = trader.state.latches
        assert (latch.reason, latch.operator) == ("pulled", "second")
        assert not trader.fenced, "a latch takes no lease"


def test_a_latch_waits_for_nobody(path: Path) -> None:
    """A trader that hangs in the midst of a change holds the lock; all else is refused, a latch is not."""
    with SafetyFile(path) as trader, SafetyFile(path) as other:
        trader.take_lease(client_id=1, at_ns=NOW)
        assert lock_handle(trader._map.lock)
        with pytest.raises(SafetyError, match="changed it") as error:
            other.reset(at_ns=NOW)
        assert error.value.kind == "busy"
        other.latch(KillState.LATCHED, at_ns=NOW, reason="hangs", operator="me")
        assert trader.latched


def test_a_change_that_hung_meanwhile_does_not_take_the_latch_away(path: Path) -> None:
    """The hung one wakes and writes the state that it had read before the latch."""
    with SafetyFile(path) as trader, SafetyFile(path) as other:
        trader.take_lease(client_id=1, at_ns=NOW)
        found = trader._newest()
        assert found is not None
        other.latch(KillState.LATCHED, at_ns=NOW, reason="hangs", operator="me")
        trader._put(1 - found[0], found[1].number + 1, found[1].state)
        assert other.latched
        assert trader.latched


@SHARED
@given(data=st.data())
def test_a_write_torn_at_any_byte_leaves_the_state_before_or_after(path: Path, data: st.DataObject) -> None:
    path.unlink(missing_ok=True)
    with SafetyFile(path) as safety:
        safety.take_lease(client_id=1, at_ns=NOW)
        whole = path.read_bytes()
        before = safety.state
        safety.unlock(Unlock(account="U1", until_ns=NOW + 5, operator="me", at_ns=NOW))
        after = safety.state
        new = path.read_bytes()
    changed = differences(whole, new)
    torn = bytearray(whole)
    kept = data.draw(st.integers(0, len(changed)))
    order = data.draw(st.sampled_from([changed, changed[::-1]]))
    for at in order[:kept]:
        torn[at] = new[at]
    path.write_bytes(torn)
    with SafetyFile(path) as again:
        assert again.state in (before, after)
        assert again.state == (after if kept == len(changed) else again.state)


@SHARED
@given(bad=st.lists(st.integers(0, 100), min_size=1, max_size=8), value=st.integers(1, 255))
def test_two_bad_slots_mean_latched_until_a_human_resets(path: Path, bad: list[int], value: int) -> None:
    path.unlink(missing_ok=True)
    with SafetyFile(path) as safety:
        safety.take_lease(client_id=1, at_ns=NOW)
        for at in set(bad):
            for slot in SLOTS:
                safety._map[slot + at : slot + at + 1] = bytes([safety._map[slot + at] ^ value])
        safety._heads = b""
        assert safety.latched
        assert safety.fenced == "the safety file can't be read"
    with SafetyFile(path) as again:
        with pytest.raises(SafetyError, match="tws reset") as error:
            again.take_lease(client_id=1, at_ns=NOW)
        assert error.value.kind == "damaged"
        again.latch(KillState.LATCHED, at_ns=NOW, reason="on top", operator="me")
        assert again.latched
        assert len(again.reset(at_ns=NOW)) == 1
        assert again.take_lease(client_id=1, at_ns=NOW) > 10**9, "no epoch of before can be met again"
        assert not again.latched


def test_a_file_that_is_none_is_refused_and_left(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * SIZE)
    with pytest.raises(SafetyError, match="no safety file") as error:
        SafetyFile(path)
    assert error.value.kind == "foreign"
    path.write_bytes(b"short")
    with pytest.raises(SafetyError, match="5 bytes") as error:
        SafetyFile(path)
    assert error.value.kind == "size"
    assert path.read_bytes() == b"short"


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(SafetyError, match="local folder") as error:
        SafetyFile(tmp_path / "file" / "safety")
    assert error.value.kind == "unwritable"


# -- the lease


def test_a_second_trader_is_told_who_holds_the_lease(path: Path) -> None:
    with SafetyFile(path) as first, SafetyFile(path) as second:
        first.take_lease(client_id=7, at_ns=NOW)
        with pytest.raises(SafetyError) as error:
            second.take_lease(client_id=7, at_ns=NOW)
        assert error.value.kind == "held"
        assert f"process {this_process().pid} on {this_process().host}" in str(error.value)
        assert "since 2027-01-15 08:00:00 UTC" in str(error.value)
        first.release()
        assert second.take_lease(client_id=7, at_ns=NOW) == 2
        first.release()
        assert not second.fenced, "who released once takes nobody else's lease away"


def test_a_dead_holders_lease_is_taken_over_and_fences_it(path: Path) -> None:
    with SafetyFile(path, me=DEAD) as dead, SafetyFile(path) as heir:
        assert dead.take_lease(client_id=1, at_ns=NOW) == 1
        assert not dead.fenced
        assert heir.take_lease(client_id=1, at_ns=NOW) == 2
        assert "epoch 2; this process had epoch 1" in dead.fenced
        with pytest.raises(SafetyError):
            dead.emergency_append(b"a record")
        dead.release()
        assert heir.state.lease is not None


def test_a_pid_that_was_given_out_anew_is_no_holder(path: Path) -> None:
    me = this_process()
    with SafetyFile(path, me=Process(host=me.host, pid=me.pid, started="earlier")) as dead:
        dead.take_lease(client_id=1, at_ns=NOW)
    with SafetyFile(path) as heir:
        assert heir.take_lease(client_id=1, at_ns=NOW) == 2


@pytest.mark.parametrize("later_ns", [-(10**18), 0, 10**9, 10**18])
def test_another_hosts_lease_is_never_judged_from_here(path: Path, later_ns: int) -> None:
    """Neither a clock that jumps nor a heart that seems to stand still makes a lease free."""
    with SafetyFile(path, me=ELSEWHERE) as there, SafetyFile(path) as here:
        there.take_lease(client_id=1, at_ns=NOW)
        with pytest.raises(SafetyError, match="another-host"):
            here.take_lease(client_id=1, at_ns=NOW + later_ns)
        assert not there.fenced


def test_a_killed_process_leaves_a_lease_that_can_be_taken(path: Path) -> None:
    take = (
        "import os, sys\nfrom tws.safety import SafetyFile\n"
        "SafetyFile(sys.argv[1]).take_lease(client_id=1, at_ns=1)\nprint(os.getpid(), flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", take + "input()", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        pid = int(child.stdout.readline())
        with SafetyFile(path) as heir:
            with pytest.raises(SafetyError, match=f"process {pid} on"):
                heir.take_lease(client_id=1, at_ns=NOW)
            child.kill()
            child.wait(30)
            assert heir.take_lease(client_id=1, at_ns=NOW) == 2
    finally:
        child.kill()
        child.communicate()


# -- latches and unlocks


def test_a_latch_covers_what_its_scope_says(path: Path) -> None:
    with SafetyFile(path) as safety:
        safety.latch(KillState.HALTED, at_ns=1, reason="r", operator="o", scope=SPY)
        orb = Scope(kind=ScopeKind.STRATEGY, name="orb")
        safety.latch(KillState.REDUCE_ONLY, at_ns=1, reason="r", operator="o", scope=orb)
        state = safety.state
        assert not safety.latched
        assert state.latch_on("SPY", "orb").state is KillState.HALTED
        assert state.latch_on("QQQ", "orb").state is KillState.REDUCE_ONLY
        assert state.latch_on("QQQ", "ma").state is KillState.ACTIVE
        safety.reset(at_ns=2, scope=SPY)
        assert safety.state.latch_on("SPY", "ma").state is KillState.ACTIVE
        assert safety.state.latch_on("SPY", "orb").state is KillState.REDUCE_ONLY


def test_a_lighter_latch_never_makes_a_flatten_less(path: Path) -> None:
    with SafetyFile(path) as safety:
        for state in (KillState.HALTED, KillState.FLATTENING, KillState.HALTED):
            safety.latch(state, at_ns=1, reason=str(state), operator="ann")
        [latch] = safety.state.latches
        assert (latch.state, latch.reason) == (KillState.FLATTENING, "halted")


def test_more_latches_than_fit_latch_everything(path: Path) -> None:
    with SafetyFile(path) as safety:
        for number in range(40):
            safety.latch(
                KillState.HALTED,
                at_ns=1,
                reason="\u2603" * 10_000,
                operator="\U0001f600" * 900,
                scope=Scope(kind=ScopeKind.SYMBOL, name=f"S{number}"),
            )
        assert safety.state.latch_on("other", "x").state is KillState.LATCHED


@given(
    given_ns=st.integers(0, 10**18), lasts_ns=st.integers(1, 10**15), jump_ns=st.integers(-(10**18), 10**18)
)
@SHARED
def test_an_unlock_holds_for_its_time_alone_whatever_the_clock_does(
    path: Path, given_ns: int, lasts_ns: int, jump_ns: int
) -> None:
    with SafetyFile(path) as safety:
        unlock = Unlock(account="U1", until_ns=given_ns + lasts_ns, operator="me", at_ns=given_ns)
        safety.unlock(unlock)
        held = safety.state.unlocked("U1", given_ns + jump_ns)
        assert (held is not None) is (0 <= jump_ns < lasts_ns)
        assert safety.state.unlocked("U2", given_ns) is None
