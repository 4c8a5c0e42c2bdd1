"""Faults of sockets and of who may come in, as a client sees them."""

from __future__ import annotations

import pytest
from tests.simulator.client import Connect, Start
from tests.simulator.scene import codes, error, ready, scene, settled, until, until_closed

from tws.simulator.limits import Limits
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import (
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    ManagedAccounts,
    NextValidId,
)


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_one_socket_is_cut(start: Start, connect: Connect, how: str) -> None:
    sim, client = await scene(start, connect)
    other = await ready(connect, sim, 2)
    sim.faults.play("cut", client=1, how=how)
    if how == "reset":
        with pytest.raises(ConnectionResetError):
            await client.pump()
    else:
        await until_closed(client)
    await settled(other)


async def test_one_client_is_mute(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    other = await ready(connect, sim, 2)
    sim.faults.play("mute", client=1)
    client.send(CurrentTimeRequest())
    received = sim.bytes_received
    await settled(other)
    await until(lambda: sim.bytes_received > received)
    assert client.all(CurrentTime) == []
    sim.faults.clear()
    await client.expect(CurrentTime)


async def test_a_mute_tws_stops_reading_in_the_end(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect, limits=Limits.off())
    other = await ready(connect, sim, 2)
    sim.faults.play("mute", client=1)
    asked = frame(codec.encode(CurrentTimeRequest(), client.session.server_version))
    client.writer.write(asked * 150_000)
    for _ in range(40):
        await settled(other)
    assert 65536 < sim.bytes_received < 2**20
    sim.faults.clear()
    await client.expect(CurrentTime)


async def test_half_open(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("half-open", client=1, zombie="100ms")
    client.send(CurrentTimeRequest())
    refused = await connect(sim, 1)
    assert (await refused.expect(ErrorMessage)).error_code == 326
    assert not client.closed and not sim.sessions
    await until(lambda: not sim.faults.status())
    await ready(connect, sim, 1)
    assert client.all(CurrentTime) == []
    assert len(sim.core.abandoned) == 1
    client.writer.close()
    await until(lambda: not sim.core.abandoned)


@pytest.mark.parametrize("accept", [True, False])
async def test_the_dialog_before_a_session(start: Start, connect: Connect, accept: bool) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("accept-dialog")
    waiting = await connect(sim, 2)
    received = sim.bytes_received
    await until(lambda: sim.bytes_received > received)
    await settled(client)  # those who are in are served
    assert waiting.heard == []
    assert sim.answer_dialog(accept) == 1
    if accept:
        await waiting.expect(NextValidId)
    else:
        await until_closed(waiting)


async def test_startapi_is_not_answered(start: Start, connect: Connect) -> None:
    sim, _ = await scene(start, connect)
    sim.faults.play("silent-start")
    client = await connect(sim, 2)
    await client.pump()
    assert client.session.server_version, "the handshake is answered"
    received = sim.bytes_received
    await until(lambda: sim.bytes_received > received)
    assert client.heard == []
    sim.faults.clear()
    await client.expect(NextValidId)


async def test_dials_are_refused_for_a_while(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("refuse-dials", lasts="100ms")
    sim.faults.play("refuse-dials", lasts="50ms")  # the longer one rules
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await connect(sim, 2)
    await settled(client)
    await until(lambda: len(sim.faults.status()) == 1)
    assert not sim.is_listening
    await until(lambda: sim.is_listening)
    await ready(connect, sim, 2)


async def test_a_dead_id_stays_in_use(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("zombie-id", lasts="")
    client.writer.close()
    await until(lambda: not sim.sessions)
    again = await connect(sim, 1)
    assert (await again.expect(ErrorMessage)).error_code == 326
    await until_closed(again)
    await ready(connect, sim, 2)
    sim.faults.clear()
    await ready(connect, sim, 1)


async def test_a_bare_probe_wedges_it(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("probe-wedge")
    await settled(client)
    probe = await connect(sim, 2, handshake=False)
    await until(lambda: len(sim.sessions) == 2)
    probe.writer.close()
    await until(lambda: len(sim.sessions) == 1)
    heard, received = len(client.heard), sim.bytes_received
    client.send(CurrentTimeRequest())
    await until(lambda: sim.bytes_received > received)
    assert len(client.heard) == heard
    sim.faults.clear()
    await settled(client)


async def test_the_port_changes(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    before = sim.port
    sim.faults.play("port-changed")
    told = await error(client, 1300)
    await until_closed(client)
    assert told.error_msg.endswith(f"the new port - {sim.port}") and sim.port != before
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await connect(sim)
    await ready(connect, sim)


async def test_too_many_messages_it_says(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    other = await ready(connect, sim, 2)
    sim.faults.play("pacing-disconnect", client=1)
    await until_closed(client)
    assert codes(client) == [100, 100, 100]
    await settled(other)


async def test_other_accounts(start: Start, connect: Connect) -> None:
    sim, _ = await scene(start, connect)
    sim.faults.play("wrong-account")
    assert (await ready(connect, sim, 2)).all(ManagedAccounts) == [ManagedAccounts("U7654321")]
    sim.faults.clear()
    assert (await ready(connect, sim, 3)).all(ManagedAccounts) == [ManagedAccounts("DU1234567")]


async def test_its_clock_is_wrong(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect, paused=True)
    now_s = sim.now_ns() // 10**9
    sim.faults.play("clock-skew", by="-90s")
    client.send(CurrentTimeRequest())
    assert (await client.expect(CurrentTime)).current_time == now_s - 90
    sim.faults.play("notice", code=1)
    assert (await error(client, 1)).error_time // 1000 == now_s - 90
    sim.faults.clear()
    await settled(client)
    assert client.all(CurrentTime)[-1].current_time == now_s


async def test_what_a_mute_session_keeps_back_is_bounded(
    start: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tws.simulator.outbox.MUTE_FRAMES", 50)
    sim, client = await scene(start, connect)
    other = await ready(connect, sim, 2)
    sim.faults.play("mute", client=1)
    for _ in range(60):
        sim.core.notice(2104, "Market data farm connection is OK:usfarm")
    await until_closed(client)
    await settled(other)
