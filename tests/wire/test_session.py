"""Both handshakes against each other, against the bytes of real clients, and against what is no TWS client
at all.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.client import EClient
from ibapi.comm import make_initial_msg
from ibapi.server_versions import MAX_CLIENT_VER, MIN_CLIENT_VER
from tests.wire.official import client as official_client

from tws.errors import HandshakeError
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import NextValidId
from tws.wire.session import (
    CLIENT_TABLE,
    MAX_IGNORED,
    SERVER_TABLE,
    Accepted,
    ClientSession,
    ClientState,
    Ignored,
    Refused,
    ServerSession,
    ServerState,
    Started,
)

TIME = "20261123 09:30:00 EST"


def hello(text: str) -> bytes:
    return b"API\0" + frame(text.encode())


def chunks(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(st.integers(1, 60), st.integers(157, 225), st.integers(157, 225))
def test_both_ends_agree_in_any_chunking(size: int, ours: int, theirs: int) -> None:
    server = ServerSession(TIME, max_version=ours)
    client = ClientSession(7, max_version=theirs, connect_options="+PACEAPI", optional_capabilities="x")
    to_server, server_events, client_events = client.start(), [], []
    while to_server:
        to_client = b""
        for chunk in chunks(to_server, size):
            out, events = server.receive(chunk)
            to_client, server_events = to_client + out, server_events + events
        to_server = b""
        for chunk in chunks(to_client, size):
            out, events = client.receive(chunk)
            to_server, client_events = to_server + out, client_events + events
    version = min(ours, theirs)
    assert server_events == [Accepted(version, TIME, "+PACEAPI"), Started(7, "x")]
    assert client_events == [Accepted(version, TIME, "+PACEAPI")]
    assert (server.state, client.state) == (ServerState.OPEN, ClientState.OPEN)
    payload = codec.encode(NextValidId(1), version)
    assert client.receive(frame(payload) + b"\0\0") == (b"", [payload])
    assert client.release() == b"\0\0"


def start_api(version: int) -> bytes:
    """The bytes of A1."""
    text = b"2\x007\x00\x00"
    if version < 201:
        return b"71\x00" + text
    return b"\0\0\0\x47" + text if version < 213 else b"\0\0\1\x0f\x08\x07"


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        ("v100..157", 157),
        ("v100..176", 176),
        ("v100..187", 187),
        ("v100..225", 225),
        ("v100..200", 200),
        ("v100..203", 203),
        ("v213..225", 225),
        ("v100..300", 225),
        ("v157..178", 178),
        ("v100..225 +PACEAPI", 225),
        ("v160", 160),
    ],
)
def test_the_hello_of_real_clients(offer: str, version: int) -> None:
    """TWS-BEHAVIOUR.md A1."""
    server = ServerSession(TIME)
    out, events = server.receive(hello(offer) + frame(start_api(version)))
    assert out == frame(f"{version}\0{TIME}\0".encode())
    assert events == [Accepted(version, TIME, offer.partition(" ")[2]), Started(7)]


@pytest.mark.parametrize("version", [157, 200, 201, 212, 213, 225])
def test_the_official_client_starts_a_session(version: int) -> None:
    server = ServerSession(TIME, version)
    offer = make_initial_msg(f"v{MIN_CLIENT_VER}..{MAX_CLIENT_VER}")
    out, _ = server.receive(b"API\0" + offer)
    assert out[4:].split(b"\0") == [b"%d" % version, TIME.encode(), b""]
    eclient, sent = official_client(version)
    assert isinstance(eclient, EClient)
    eclient.startApi()
    assert server.receive(sent[0]) == (b"", [Started(7)])


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"GET / HTTP/1.1\r\n", "HTTP"),
        (b"\x16\x03\x01\x02\x00", "TLS"),
        (b"63\x001\x00", "older than server version 100"),
        (b"hello", "does not speak"),
        (b"AX", "does not speak"),
        (b"API\0\0\0\0\0", "hello of 0 bytes"),
        (b"API\0\xff\xff\xff\xff", "hello of 4294967295 bytes"),
        (hello("v100..156"), "offers versions 100 to 156"),
        (hello("v226..230"), "offers versions 226 to 230"),
        (hello("v200..157"), "offers versions 200 to 157"),
        (hello("200"), "not v<min>..<max>"),
        (hello("v100..157") + b"\0\0\0\0", "frame of 0 bytes"),
        (hello("v100..157") + frame(b"71\x002\x00x\x00\x00"), "client_id"),
        (hello("v100..157") + frame(b"71\x002\x001\x00"), "optional_capabilities"),
        (hello("v100..201") + frame(b"\0\0\0\x47" + b"2\x00x\x00\x00"), "client_id"),
        (hello("v100..225") + frame(b"\0\0\1\x0f\x08"), "StartApiRequest"),
    ],
)
def test_what_is_no_client_is_refused_with_a_reason(first: bytes, reason: str) -> None:
    server = ServerSession(TIME)
    _, events = server.receive(first)
    assert isinstance(events[-1], Refused)
    assert reason in events[-1].reason
    assert server.state is ServerState.REFUSED
    assert server.receive(hello("v100..157")) == (b"", [])


@pytest.mark.parametrize("start", [b"", b"A", b"API", b"API\0\0", hello("v100..157")[:-1]])
def test_a_silent_client_is_waited_for(start: bytes) -> None:
    server = ServerSession(TIME)
    assert server.receive(start) == (b"", [])
    assert server.state is ServerState.WAIT_HELLO


def test_requests_before_start_api_are_ignored() -> None:
    server = ServerSession(TIME)
    early = b"49\x001\x00"
    _, events = server.receive(
        hello("v100..157") + frame(early) + frame(b"71\x002\x001\x00\x00") + frame(early)
    )
    assert events[1:] == [Ignored(early), Started(1), early]


@pytest.mark.parametrize("early", [b"71\x002\x001\x00\x00", b"\0\0\0\x31" + b"1\x00", b"\0\0\1\x0e"])
def test_from_201_the_text_of_an_id_starts_nothing(early: bytes) -> None:
    server = ServerSession(TIME)
    _, events = server.receive(hello("v100..225") + frame(early) + frame(start_api(225)))
    assert events[1:] == [Ignored(early), Started(7)]


def test_payloads_before_a_broken_frame_arrive() -> None:
    server = ServerSession(TIME)
    server.receive(hello("v100..157") + frame(b"71\x002\x001\x00\x00"))
    _, events = server.receive(frame(b"49\x001\x00") + b"\0\0\0\0")
    assert events[0] == b"49\x001\x00"
    assert isinstance(events[1], Refused)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (frame(b"226\x00now\x00"), "226, offered were 157 to 225"),
        (frame(b"156\x00now\x00"), "156"),
        (frame(b"-1\x00other:7496\x00"), "redirects to other:7496"),
        (frame(b"x\x00now\x00"), "server version"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"\x16\x03\x01\x00", "TLS"),
        (b"\0\0\0\0", "does not speak"),
    ],
)
def test_what_is_no_server_is_refused_with_a_reason(reply: bytes, reason: str) -> None:
    client = ClientSession(1)
    client.start()
    out, events = client.receive(reply)
    assert out == b""
    assert isinstance(events[-1], Refused)
    assert reason in events[-1].reason
    assert client.state is ClientState.REFUSED


def test_the_client_waits_for_a_frame_of_two_fields() -> None:
    """As the official client does (A1), but not for ever."""
    client = ClientSession(1, start_api=False)
    client.start()
    line = b"4\x002\x00-1\x002104\x00OK\x00\x00"
    assert client.receive(frame(line)) == (b"", [Ignored(line)])
    assert client.receive(frame("178\0läuft\0".encode("latin-1"))) == (b"", [Accepted(178, "l\\xe4uft")])
    other = ClientSession(1)
    other.start()
    _, events = other.receive(frame(line) * (MAX_IGNORED + 1))
    assert isinstance(events[-1], Refused)


def test_the_client_sends_nothing_before_the_reply() -> None:
    client = ClientSession(7)
    assert client.start() == hello("v157..225")
    assert client.receive(frame(b"178\x00now\x00")[:-1]) == (b"", [])
    out, _ = client.receive(b"\0")
    assert out == frame(b"71\x002\x007\x00\x00")


@pytest.mark.parametrize(("low", "high"), [(156, 200), (157, 226), (180, 170)])
def test_a_range_that_is_not_spoken_is_refused(low: int, high: int) -> None:
    with pytest.raises(HandshakeError):
        ClientSession(1, min_version=low, max_version=high)
    with pytest.raises(HandshakeError):
        ServerSession(TIME, min_version=low, max_version=high)


@given(st.binary(max_size=80), st.integers(1, 9))
def test_garbage_never_raises(junk: bytes, size: int) -> None:
    for start in (b"", hello("v100..157"), hello("v100..157") + frame(b"71\x002\x001\x00\x00")):
        server = ServerSession(TIME)
        for chunk in chunks(start + junk, size):
            server.receive(chunk)
    client = ClientSession(1)
    client.start()
    for chunk in chunks(junk, size):
        client.receive(chunk)


def test_every_state_can_be_reached_and_only_refused_is_final() -> None:
    for table, first, last in (
        (SERVER_TABLE, ServerState.WAIT_HELLO, ServerState.REFUSED),
        (CLIENT_TABLE, ClientState.WAIT_REPLY, ClientState.REFUSED),
    ):
        reached, states = {first}, {state for state, _ in table} | set(table.values())
        for _ in states:
            reached |= {after for (before, _), after in table.items() if before in reached}
        assert reached == states
        assert states - {before for before, _ in table} == {last}
