"""What the proxy writes: every frame of both sides, without accounts and names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.recording.peer import ACCOUNTS, Peer

from tws.cli import record
from tws.errors import ConfigError
from tws.model.advisor import AccountAlias
from tws.recording import Frame, Mark, Proxy, ProxyOptions, read
from tws.recording.redact import Redactor
from tws.wire import codec
from tws.wire.advisorxml import write_aliases
from tws.wire.messages import (
    ConfigResponse,
    ContractData,
    ContractDataRequest,
    CurrentTime,
    CurrentTimeRequest,
    ExecutionDetails,
    ManagedAccounts,
    PositionEnd,
    PositionsRequest,
    ReceiveFA,
    WireApiConfig,
    WireApiSettings,
    WireContract,
    WireExecution,
)

SPY = WireContract(symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")


async def a_session(port: int, version: int = 200) -> Peer:
    peer = await Peer(port, version=version).open()
    peer.send(ContractDataRequest(7, SPY))
    await peer.until(ContractData)
    peer.send(PositionsRequest())
    await peer.until(PositionEnd)
    return peer


@pytest.mark.parametrize("version", [157, 200, 225])
async def test_the_file_holds_every_frame_of_both_sides(proxy: tuple[Proxy, int], version: int) -> None:
    made, port = proxy
    peer = await a_session(port, version)
    await peer.close()
    await asyncio.wait(list(made._tasks))  # the connection has ended by itself
    await made.stop()
    recording = read(made.options.path)
    (session,) = recording.sessions()
    assert session[0].payload == f"v157..{version}".encode()
    from_tws = [one.payload for one in session if one.source == "tws"][1:]
    assert len(from_tws) == len(peer.payloads)
    assert [len(one) for one in from_tws] == [len(one) for one in peer.payloads]
    asked = [codec.decode_request(one.payload, version) for one in session[1:] if one.source == "client"]
    assert asked[1:] == [ContractDataRequest(7, SPY), PositionsRequest()]
    marks = [entry.what for entry in recording.entries if isinstance(entry, Mark)]
    assert marks == ["open", "client closed"]


async def test_accounts_are_replaced_everywhere_and_the_live_bytes_are_not(proxy: tuple[Proxy, int]) -> None:
    made, port = proxy
    peer = await a_session(port)
    heard = [codec.decode_answer(payload, 200) for payload in peer.payloads]
    assert ManagedAccounts(",".join(ACCOUNTS)) in heard
    await peer.close()
    await made.stop()
    text = made.options.path.read_text(encoding="utf-8")
    assert not any(account in text for account in ACCOUNTS)
    assert '"DU0000001,U0000002"' in text


async def test_raw_keeps_them(simulator: int, tmp_path: Path) -> None:
    made = Proxy(ProxyOptions(path=tmp_path / "raw.jsonl", tws_port=simulator, port=0, redact=False))
    _, port = await made.start()
    peer = await Peer(port).open()
    await peer.close()
    await made.stop()
    assert ACCOUNTS[0] in made.options.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("version", [200, 225])
def test_a_submitter_learnt_once_is_replaced_in_what_follows(version: int) -> None:
    redactor = Redactor(["Mustermann"])
    execution = WireExecution(order_id=1, exec_id="e", submitter="mmuster", acct_number="DU12345")
    payload = codec.encode(ExecutionDetails(1, SPY, execution), version)
    clean = redactor.answer(payload, version)
    assert b"mmuster" not in clean and b"DU12345" not in clean and len(clean) == len(payload)
    assert codec.decode_answer(clean, version) != codec.decode_answer(payload, version)
    assert redactor.replace(b"by mmuster for Erika Mustermann") == b"by xxxxxxx for Erika xxxxxxxxxx"


@pytest.mark.parametrize("version", [200, 225])
def test_an_account_of_any_look_is_learnt_from_what_tws_says(version: int) -> None:
    redactor = Redactor()
    said = redactor.answer(codec.encode(ManagedAccounts("FRIENDS7,DU1234567"), version), version)
    assert b"FRIENDS7" not in said
    assert redactor.replace(b"for FRIENDS7") != b"for FRIENDS7"


@pytest.mark.parametrize("version", [200, 225])
def test_aliases_and_trusted_addresses_are_names(version: int) -> None:
    redactor = Redactor()
    xml = write_aliases([AccountAlias("DU1234567", "Ann Trader")])
    assert b"Ann" not in redactor.answer(codec.encode(ReceiveFA(3, xml), version), version)
    page = WireApiConfig(settings=WireApiSettings(trusted_ips=("127.0.0.1", "192.168.77.5")))
    if version == 225:
        clean = redactor.answer(codec.encode(ConfigResponse(req_id=1, api=page), version), version)
        assert b"192.168.77.5" not in clean and b"127.0.0.1" in clean


def test_a_stand_in_is_not_replaced_again() -> None:
    redactor = Redactor()
    once = redactor.replace(b"U9999999\0DU0000001\0")
    assert redactor.replace(once) == once


async def test_a_tws_that_is_not_there_ends_the_clients_connection_at_once(tmp_path: Path) -> None:
    closed = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    made = Proxy(ProxyOptions(path=tmp_path / "none.jsonl", tws_port=port, port=0))
    _, own = await made.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", own)
    assert await reader.read(-1) == b""
    writer.close()
    await made.stop()


async def test_what_is_no_protocol_passes_and_is_marked(proxy: tuple[Proxy, int]) -> None:
    made, port = proxy
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read(-1) == b""  # the simulator closes
    writer.close()
    await made.stop()
    marks = [entry for entry in read(made.options.path).entries if isinstance(entry, Mark)]
    assert [mark.data for mark in marks if mark.what == "unframed"] == [b"GET / HTTP/1.1\r\n\r\n"]


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text("precious", encoding="utf-8")
    with pytest.raises(ConfigError, match="exists already"):
        Proxy(ProxyOptions(path=kept))
    assert kept.read_text(encoding="utf-8") == "precious"


async def test_a_full_disk_ends_the_recording_and_no_session(simulator: int, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no full device")
    made = Proxy(ProxyOptions(path=tmp_path / "x.jsonl", tws_port=simulator, port=0))
    made._file.close()
    made._file = full.open("w", encoding="utf-8", buffering=1)  # noqa: ASYNC230 (a device, never waits)
    _, port = await made.start()
    peer = await Peer(port).open()
    peer.send(CurrentTimeRequest())
    await peer.until(CurrentTime)
    assert isinstance(made.failure, OSError)
    await peer.close()
    await made.stop()


async def test_frames_of_one_session_stand_in_the_order_of_their_time(proxy: tuple[Proxy, int]) -> None:
    made, port = proxy
    peer = await a_session(port)
    await peer.close()
    await made.stop()
    times = [entry.t for entry in read(made.options.path).entries if isinstance(entry, Frame)]
    assert times == sorted(times)


async def test_a_bug_in_the_copy_ends_the_recording_not_the_session(
    proxy: tuple[Proxy, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("a bug")

    peer = await Peer(proxy[1]).open()
    monkeypatch.setattr(proxy[0], "redacted", broken)
    peer.send(PositionsRequest())
    await peer.until(PositionEnd)
    peer.send(PositionsRequest())
    await peer.until(PositionEnd)
    await peer.close()


async def test_a_taken_port_leaves_no_file_and_no_open_one_behind(
    proxy: tuple[Proxy, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Proxy] = []
    remove = Path.unlink

    class Kept(Proxy):
        def __init__(self, options: ProxyOptions) -> None:
            super().__init__(options)
            made.append(self)

    def unlink(path: Path, missing_ok: bool = False) -> None:
        assert made[0]._file.closed  # Windows removes no file that is open
        remove(path, missing_ok)

    monkeypatch.setattr("tws.recording.Proxy", Kept)
    monkeypatch.setattr(Path, "unlink", unlink)
    path = tmp_path / "never.jsonl"
    with pytest.raises(ConfigError, match="can't be listened on"):
        await record._record(ProxyOptions(path=path, port=proxy[1]))
    assert made and not path.exists()
