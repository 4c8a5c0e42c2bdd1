"""Links: bytes arrive in order, none is lost unless the link is cut, a writer feels its reader's pace."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.world import CALM, Domain, Faults, Network, VirtualLoop, World


@dataclass
class Ear(asyncio.Protocol):
    """Notes all that it is told."""

    told: list[str] = field(default_factory=list)
    got: bytearray = field(default_factory=bytearray)
    pieces: list[int] = field(default_factory=list)
    error: BaseException | None = None
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    writable: asyncio.Event = field(default_factory=asyncio.Event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.told.append("made")
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        assert data and "lost" not in self.told and "eof" not in self.told
        self.got += data
        self.pieces.append(len(data))

    def eof_received(self) -> bool | None:
        self.told.append("eof")
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")
        self.error = exc
        self.lost.set()

    def pause_writing(self) -> None:
        self.told.append("pause")
        self.writable.clear()

    def resume_writing(self) -> None:
        self.told.append("resume")
        self.writable.set()


async def pair(network: Network) -> tuple[Ear, Ear]:
    """Two ears on one link: the dialler's and the listener's."""
    far = Ear()
    listener = network.listen("tws", 0, lambda: far)
    _, near = await network.dial(Ear, "tws", listener.port)
    assert isinstance(near, Ear)
    await asyncio.sleep(0)
    return near, far


def make(seed: int = 1, faults: Faults = CALM) -> tuple[VirtualLoop, Network]:
    loop = VirtualLoop(ties=random.Random(seed))
    return loop, Network(loop, random.Random(seed), faults)


weathers = st.builds(
    Faults,
    latency_s=st.sampled_from([0.0, 0.001, 0.1]),
    jitter_s=st.sampled_from([0.0, 0.5]),
    chunk_max=st.sampled_from([0, 1, 7, 1000]),
    stall_rate=st.sampled_from([0.0, 0.2]),
    cut_rate=st.sampled_from([0.0, 0.0, 0.05]),
    silence_s=st.sampled_from([0.0, 10.0]),
    window=st.sampled_from([0, 10, 1000]),
)
scripts = st.lists(
    st.tuples(
        st.sampled_from(["near", "far"]),
        st.integers(0, 300),
        st.sampled_from([0.0, 0.001, 1.0]),
        st.sampled_from(["write", "writelines", "pause", "resume"]),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    faults=weathers,
    script=scripts,
    closer=st.sampled_from(["near", "far", "abort"]),
)
def test_bytes_arrive_in_order_and_whole_unless_the_link_was_cut(
    seed: int, faults: Faults, script: list[tuple[str, int, float, str]], closer: str
) -> None:
    loop, network = make(seed, faults)

    async def main() -> None:
        near, far = await pair(network)
        sent = {"near": bytearray(), "far": bytearray()}
        ends = {"near": near, "far": far}
        for side, size, pause_s, verb in script:
            transport = ends[side].transport
            if verb == "pause":
                transport.pause_reading()
            elif verb == "resume":
                transport.resume_reading()
            else:
                data = bytes((len(sent[side]) + n) % 251 for n in range(size))
                if not transport.is_closing():
                    sent[side] += data
                if verb == "write":
                    transport.write(data)
                else:
                    transport.writelines([data[: size // 2], data[size // 2 :]])
            await asyncio.sleep(pause_s)
        for end in ends.values():
            end.transport.resume_reading()
        await asyncio.sleep(10_000)
        cut = near.error is not None or far.error is not None
        assert bytes(sent["near"]).startswith(far.got)
        assert bytes(sent["far"]).startswith(near.got)
        if not cut:
            assert far.got == sent["near"]
            assert near.got == sent["far"]
            assert near.transport.get_write_buffer_size() == far.transport.get_write_buffer_size() == 0
            if closer == "abort":
                near.transport.abort()
            else:
                ends[closer].transport.close()
            await asyncio.sleep(10_000)
        assert near.told.count("lost") == far.told.count("lost") == 1
        assert network.ends == []
        if faults.chunk_max:
            assert max(near.pieces + far.pieces, default=0) <= faults.chunk_max

    loop.run(main())


def test_an_orderly_close_delivers_what_was_written_then_the_end() -> None:
    loop, network = make(faults=Faults(chunk_max=10))

    async def main() -> None:
        near, far = await pair(network)
        far.transport.write(b"326 client id in use" * 50)
        far.transport.close()
        far.transport.write(b"ignored")
        await near.lost.wait()
        assert near.got == b"326 client id in use" * 50
        assert (near.told, near.error) == (["made", "eof", "lost"], None)
        assert (far.told, far.error) == (["made", "lost"], None)

    loop.run(main())


def test_an_abort_is_heard_as_a_reset_and_loses_what_was_under_way() -> None:
    loop, network = make(faults=Faults(latency_s=1.0))

    async def main() -> None:
        near, far = await pair(network)
        far.transport.pause_reading()
        near.transport.write(b"into the void")
        await asyncio.sleep(0.5)
        far.transport.abort()
        await near.lost.wait()
        assert isinstance(near.error, ConnectionResetError)
        assert far.error is None and not far.got

    loop.run(main())


def test_bytes_that_meet_a_closed_end_are_answered_with_a_reset_behind_its_last_words() -> None:
    loop, network = make(faults=Faults(latency_s=1.0))

    async def main() -> None:
        near, far = await pair(network)
        far.transport.write(b"goodbye")
        far.transport.close()
        near.transport.write(b"into the void")
        await asyncio.sleep(1.5)
        assert (near.got, near.error) == (b"goodbye", None)
        await near.lost.wait()
        assert near.error is None  # the end of file came first, and it closed by itself

        near, far = await pair(network)
        near.transport.pause_reading()  # so it never hears the end of file
        near.transport.write(b"into the void")
        far.transport.close()
        await near.lost.wait()
        assert isinstance(near.error, ConnectionResetError)
        assert not far.got

    loop.run(main())


def test_a_cut_is_heard_on_both_sides_and_loses_what_was_under_way() -> None:
    loop, network = make(faults=Faults(silence_s=0.0))

    async def main() -> None:
        near, far = await pair(network)
        near.transport.write(b"lost")
        network.cut_all()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert isinstance(near.error, ConnectionResetError)
        assert isinstance(far.error, ConnectionResetError)
        near.transport.write(b"ignored")
        near.transport.close()
        near.transport.abort()
        await asyncio.sleep(100)
        assert not far.got
        assert (near.told, far.told) == (["made", "lost"], ["made", "lost"])

    loop.run(main())


def test_after_a_cut_one_end_may_stay_in_the_dark_for_a_while() -> None:
    late = set()
    for seed in range(40):
        loop, network = make(seed, Faults(silence_s=30.0))

        async def main(network: Network = network) -> None:
            near, far = await pair(network)
            network.cut_all()
            await asyncio.sleep(0.001)
            dark = {name for name, end in (("near", near), ("far", far)) if not end.lost.is_set()}
            assert len(dark) <= 1
            late.update(dark or {"none"})
            await asyncio.sleep(31)
            assert near.lost.is_set() and far.lost.is_set()

        loop.run(main())
    assert late == {"near", "far", "none"}


@pytest.mark.parametrize("window", [0, 1000, 65_536])
def test_back_pressure_reaches_the_writer_and_is_lifted(window: int) -> None:
    loop, network = make(faults=Faults(window=window))

    async def main() -> None:
        near, far = await pair(network)
        near.transport.set_write_buffer_limits(high=5_000, low=1_000)
        assert near.transport.get_write_buffer_limits() == (1_000, 5_000)
        far.transport.pause_reading()
        written = 0
        while near.writable.is_set():
            near.transport.write(b"x" * 500)
            written += 500
            assert written < 100_000
        assert near.transport.get_write_buffer_size() == written - window > 5_000
        await asyncio.sleep(100)
        assert not far.got and near.told == ["made", "pause"]
        network.faults = Faults(window=window, chunk_max=100)
        far.transport.resume_reading()
        await near.writable.wait()
        assert near.transport.get_write_buffer_size() <= 1_000
        await asyncio.sleep(100)
        assert len(far.got) == written
        assert near.told == ["made", "pause", "resume"]

    loop.run(main())


def test_an_unread_link_does_not_close_before_its_writer_was_heard() -> None:
    loop, network = make(faults=Faults(window=10))

    async def main() -> None:
        near, far = await pair(network)
        far.transport.pause_reading()
        near.transport.write(b"x" * 100)
        near.transport.close()
        await asyncio.sleep(100)
        assert not near.lost.is_set()
        far.transport.resume_reading()
        await asyncio.sleep(100)
        assert len(far.got) == 100 and near.lost.is_set() and far.told[-2:] == ["eof", "lost"]

    loop.run(main())


def test_dialling_is_refused_where_nobody_listens() -> None:
    loop, network = make()

    async def main() -> None:
        with pytest.raises(ConnectionRefusedError):
            await network.dial(Ear, "tws", 7497)
        listener = network.listen("tws", 7497, Ear)
        with pytest.raises(OSError, match="listened on already"):
            network.listen("tws", 7497, Ear)
        transport, _ = await network.dial(Ear, "tws", 7497)
        assert transport.get_extra_info("peername") == ("tws", 7497)
        assert transport.get_extra_info("socket") is None
        listener.close()
        listener.close()
        with pytest.raises(ConnectionRefusedError):
            await network.dial(Ear, "tws", 7497)
        assert not transport.is_closing()

    loop.run(main())


def test_dialling_in_bad_weather_is_refused_or_hangs() -> None:
    loop, network = make(faults=Faults(refuse_rate=0.4, hang_rate=0.3, hang_s=50.0))

    async def main() -> dict[str, int]:
        network.listen("tws", 7497, Ear)
        ends: dict[str, int] = {}
        for _ in range(200):
            try:
                await network.dial(Ear, "tws", 7497)
                end = "made"
            except OSError as error:
                end = type(error).__name__
            ends[end] = ends.get(end, 0) + 1
        return ends

    ends = loop.run(main())
    assert set(ends) == {"made", "ConnectionRefusedError", "TimeoutError"}
    assert min(ends.values()) > 20
    assert loop.time() > 200


def test_a_cancelled_dial_leaves_no_link() -> None:
    loop, network = make(faults=Faults(latency_s=10.0))

    async def main() -> None:
        network.listen("tws", 7497, Ear)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(network.dial(Ear, "tws", 7497), 5)
        await asyncio.sleep(100)
        assert network.ends == []

    loop.run(main())


def test_a_killed_process_writes_no_more_and_its_peer_hears_a_prefix_then_a_reset() -> None:
    arrived = set()
    for seed in range(40):
        world = World(seed, faults=Faults(silence_s=5.0))
        far = Ear()
        world.network.listen("tws", 7497, lambda far=far: far)

        async def trader(world: World = world) -> None:
            transport, _ = await world.network.dial(Ear, "tws", 7497)
            try:
                while True:
                    transport.write(b"0123456789")
                    await asyncio.sleep(0.0001)
            finally:
                transport.write(b"cancel all")
                transport.close()

        async def main(world: World = world, far: Ear = far) -> None:
            domain = Domain("trader")
            world.spawn(domain, trader())
            await asyncio.sleep(0.01)
            world.crash(domain)
            await far.lost.wait()
            assert isinstance(far.error, ConnectionResetError)
            assert (b"0123456789" * 1000).startswith(bytes(far.got))
            arrived.add(len(far.got))
            await asyncio.sleep(100)
            assert world.network.ends == []

        world.run(main())
    assert len(arrived) > 5  # the draw of what still arrives


def test_a_closed_end_whose_process_dies_still_resets_what_reaches_it() -> None:
    """Found by seed 44: the reset waited for a dead process, and TWS kept its client id for ever."""
    world = World(1, faults=Faults(latency_s=5.0))
    far = Ear()
    world.network.listen("tws", 7497, lambda: far)

    async def trader() -> None:
        transport, _ = await world.network.dial(Ear, "tws", 7497)
        await asyncio.sleep(1)
        transport.close()
        await asyncio.Event().wait()

    async def main() -> None:
        domain = Domain("trader")
        world.spawn(domain, trader())
        await asyncio.sleep(5.5)
        far.transport.pause_reading()  # so it does not hear the end of file
        far.transport.write(b"still talking")
        await asyncio.sleep(1)
        world.crash(domain)
        await far.lost.wait()
        assert isinstance(far.error, ConnectionResetError)

    world.run(main())


def test_a_listener_dies_with_its_process() -> None:
    world = World(1, faults=CALM)

    async def tws() -> None:
        world.network.listen("tws", 7497, Ear)
        await asyncio.Event().wait()

    async def main() -> None:
        domain = Domain("tws")
        world.spawn(domain, tws())
        await asyncio.sleep(1)
        _, ear = await world.network.dial(Ear, "tws", 7497)
        world.crash(domain)
        assert isinstance(ear, Ear)
        await ear.lost.wait()
        with pytest.raises(ConnectionRefusedError):
            await world.network.dial(Ear, "tws", 7497)

    world.run(main())
