"""The control channel: what it does, who may use it, and that nothing said there harms a client's session."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.crash.process import in_process
from tests.simulator.client import Client, Connect, Start, stock
from tests.simulator.scene import place, scene, settled, status_of, until, until_closed

from tws.cli.sim_note import Note, ask, find, leave, notes
from tws.errors import ConfigError, SimulationError
from tws.simulator import SimulatedTWS
from tws.simulator.control import MAX_LINE, Control
from tws.wire.messages import MarketDataRequest, NewsBulletin, NewsBulletinsRequest, TickNews, TickPrice

TOKEN = "a-token"
Channel = tuple[SimulatedTWS, Client, Note, asyncio.Event]


@pytest.fixture
async def channel(start: Start, connect: Connect) -> AsyncIterator[Channel]:
    sim, client = await scene(start, connect)
    ended = asyncio.Event()
    control = Control(sim, TOKEN, ended.set)
    note = Note(pid=os.getpid(), api_port=sim.port, port=await control.start(), token=TOKEN)
    yield sim, client, note, ended
    await control.stop()
    await control.stop()


async def say(note: Note, *lines: bytes) -> list[Any]:
    """Raw lines in, all that comes out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", note.port)
    writer.write(b"".join(lines))
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return [json.loads(line) for line in answer.splitlines()]


async def command(note: Note, do: str, **values: Any) -> Any:
    return await asyncio.to_thread(lambda: ask(note, do, **values))


def line(**values: Any) -> bytes:
    return json.dumps({"token": TOKEN} | values).encode() + b"\n"


async def test_faults_are_played_and_ended(channel: Channel) -> None:
    sim, client, note, _ = channel
    listed = await command(note, "list")
    assert "lasts=" in listed["faults"]["mute"]["fields"] and listed["scenarios"]["incident-03"]
    rows = await command(note, "play", name="mute", args={"lasts": "30s"})
    assert rows == [{"name": "mute", "state": "running", "fields": "lasts=30s"}]
    assert sim.faults.mute
    await command(note, "clear")
    assert not sim.faults.mute
    await command(note, "play", name="incident-09")
    place(client, 1)
    await settled(client)
    assert await command(note, "answer") == 1
    await status_of(client, 1, "Filled")
    await command(note, "play", name="silent-order", args={"count": "1"})
    place(client, 2)
    await settled(client)
    assert await command(note, "release") == 1
    await status_of(client, 2, "Filled")


async def test_market_orders_and_clock(channel: Channel) -> None:
    sim, client, note, ended = channel
    await command(note, "quote", symbol="SPY", bid=50, ask=50.02)
    assert sim.core.tapes[756733].bid == 5000
    await command(note, "trade", symbol="SPY", price=50.01)
    assert sim.core.tapes[756733].last == 50.01
    place(client, 1, lmt=40.0, quantity=5)
    await status_of(client, 1, "Submitted")
    (row,) = await command(note, "orders")
    assert (row["order_id"], row["symbol"], row["side"], row["remaining"]) == (1, "SPY", "BUY", "5")
    told = await command(note, "status")
    assert told["listening"] and told["port"] == sim.port
    assert [one["client_id"] for one in told["sessions"]] == [1]
    await command(note, "clock", run=False)
    held = sim.now_ns()
    assert (await command(note, "clock")) == (await command(note, "clock"))
    assert sim.now_ns() == held
    await command(note, "clock", run=True)
    await until(lambda: sim.now_ns() > held)
    later = sim.now_ns() + 3600 * 10**9
    await command(note, "clock", to_ns=later)
    await until(lambda: sim.now_ns() >= later)
    await command(note, "stop")
    await ended.wait()


async def test_news_and_bulletins(channel: Channel) -> None:
    _, client, note, _ = channel
    client.send(MarketDataRequest(1, stock("SPY"), "mdoff,292"), NewsBulletinsRequest(all_messages=False))
    await settled(client)
    name = await command(note, "news", headline="It happened", symbol="SPY", provider="DJNL")
    await command(note, "bulletin", text="CME rests", exchange="CME", kind=2)
    assert (await client.expect(TickNews)).article_id == name
    assert (await client.expect(NewsBulletin)).originating_exch == "CME"


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b'{"do": "status"}\n', "Denied"),
        (b'{"token": "b-token", "do": "status"}\n', "Denied"),
        (b'{"token": 7, "do": "status"}\n', "Denied"),
        (b"GET / HTTP/1.1\r\n", "BadJSON"),
        (b"[1, 2]\n", "BadJSON"),
        (b"\xff\xfe\n", "BadJSON"),
        (b"[" * 20_000 + b"\n", "BadJSON"),
        (b'{"token": "' + b"x" * MAX_LINE + b'"}\n', "TooLong"),
        (line(do="dance"), "Unknown"),
        (line(do=["play"]), "Unknown"),
        (line(do="play"), "BadRequest"),
        (line(do="play", name="cutt", args={"a": 1}), "ConfigError"),
        (line(do="play", name="cutt"), "ConfigError"),
        (line(do="play", name="cut", args=[1]), "ConfigError"),
        (line(do="play", name="cut", args={"how": "softly"}), "ConfigError"),
        (line(do="play", name="/etc/passwd.toml"), "DataError"),
        (line(do="quote", symbol="SPY", bid="many", ask=2), "BadRequest"),
        (line(do="quote", symbol="NOTHING", bid=1, ask=2), "ConfigError"),
        (line(do="trade", symbol="SPY"), "BadRequest"),
        (line(do="news"), "BadRequest"),
        (line(do="news", headline="x", provider="MOON"), "ConfigError"),
        (line(do="news", headline="x", symbol="NOTHING"), "ConfigError"),
        (line(do="bulletin", text="x", kind=9), "ConfigError"),
    ],
)
async def test_what_is_wrong_is_said_and_harms_nobody(channel: Channel, sent: bytes, kind: str) -> None:
    sim, client, note, _ = channel
    (answer,) = await say(note, sent)
    assert answer["ok"] is False and answer["error"]["kind"] == kind and answer["error"]["text"]
    await settled(client)
    assert (await command(note, "status"))["faults"] == []
    assert len(sim.sessions) == 1


async def test_after_a_wrong_token_nothing_more_is_heard(channel: Channel) -> None:
    sim, _, note, _ = channel
    assert len(await say(note, b'{"token": "x", "do": "status"}\n', line(do="play", name="mute"))) == 1
    assert not sim.faults.mute


async def test_several_commands_and_no_end_of_line(channel: Channel) -> None:
    _, _, note, _ = channel
    answers = await say(note, line(do="orders"), line(do="dance"), line(do="orders"), b'{"token"')
    assert [one["ok"] for one in answers] == [True, False, True, False]


async def test_too_many_callers(channel: Channel) -> None:
    _, client, note, _ = channel
    callers = [await asyncio.open_connection("127.0.0.1", note.port) for _ in range(16)]
    await settled(client)
    (answer,) = await say(note)
    assert answer["error"]["kind"] == "Busy"
    for _, writer in callers:
        writer.close()
    await settled(client)


async def test_it_listens_on_loopback_alone(channel: Channel, start: Start) -> None:
    sim = await start(host="0.0.0.0", any_host=True)
    control = Control(sim, TOKEN, lambda: None)
    await control.start()
    server = control._channel._server
    assert server is not None
    assert [one.getsockname()[0] for one in server.sockets] == ["127.0.0.1"]
    await control.stop()


# -- the note -------------------------------------------------------------------------------------


async def test_it_is_found_by_its_note(channel: Channel, tmp_path: Path) -> None:
    _, _, note, _ = channel
    folder = tmp_path / "tws" / "sim"
    assert notes(folder) == []
    with pytest.raises(ConfigError, match="tws sim"):
        find(folder)
    path = leave(folder, note)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert find(folder) == find(folder, note.api_port) == note
    with pytest.raises(ConfigError, match="no simulator"):
        find(folder, 1)
    dead = Note(pid=1, api_port=2, port=9, token="")
    gone, torn = leave(folder, dead), folder / "torn.json"
    torn.write_text("{", encoding="utf-8")
    assert notes(folder) == [note]
    assert not gone.exists() and not torn.exists()


async def test_a_refusal_is_an_error(channel: Channel) -> None:
    _, _, note, _ = channel
    with pytest.raises(SimulationError, match="no fault"):
        await command(note, "play", name="cutt", args={"x": "1"})
    with pytest.raises(SimulationError, match="does not answer"):
        await command(Note(pid=1, api_port=2, port=9, token=""), "status")


# -- the command ----------------------------------------------------------------------------------


@pytest.fixture
async def tws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Awaitable[asyncio.subprocess.Process]]]:
    """Run `tws` with a state folder of its own."""
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    running: list[asyncio.subprocess.Process] = []

    async def run(*words: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from tws.cli.app import main; main()", *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip
        running.append(process)
        return process

    yield run
    for process in running:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_tws_sim_ctl(tws: Any, tmp_path: Path, connect: Connect) -> None:
    async def ctl(*words: str) -> tuple[int, str]:
        return await asyncio.to_thread(in_process, "sim", "ctl", *words)

    mine = tmp_path / "mine.toml"
    mine.write_text('[[fault]]\nname = "clock-skew"\nby = "1h"\n', encoding="utf-8")
    process = await tws("sim", "--port", "0", "--faults", "mine.toml", "--faults", "incident-13")
    host, _, port = (
        (await process.stdout.readline()).decode().removeprefix("listening on ").strip().partition(":")
    )
    client = Client(*await asyncio.open_connection(host, int(port)), 1)
    client.writer.write(client.session.start())
    await settled_session(client)
    code, out = await ctl("status", "--json", "--port", port)
    faults = {row["name"] for row in json.loads(out)["faults"]}
    assert code == 0 and faults == {"clock-skew", "execution-first"}
    code, out = await ctl("play", "connectivity-lost", "lasts=1h", "restored=lost")
    assert code == 0 and "connectivity-lost: running lasts=1h restored=lost" in out
    code, said = await ctl("play", "cut", "how=softly")
    assert code == 2 and "how" in said and "Traceback" not in said
    code, said = await ctl("play", "cut", "softly")
    assert code == 2 and "key=value" in said
    code, out = await ctl("play", "cutt", "--json")
    assert code == 2 and "cutt" in json.loads(out)["error"]["text"]
    assert (await ctl("market", "quote", "SPY", "100", "100.02"))[0] == 0
    assert (await ctl("market", "dance", "SPY", "100"))[0] == 2
    code, out = await ctl("news", "It happened", "--symbol", "SPY")
    assert code == 0 and out.startswith("BRFG$")
    assert (await ctl("stop"))[0] == 0
    await until_closed(client)
    assert await process.wait() == 0
    assert not list((tmp_path / "tws" / "sim").glob("*.json")) or sys.platform == "darwin"
    assert (await ctl("status"))[0] == 2
    client.writer.close()


async def settled_session(client: Client) -> None:
    from tws.wire.messages import NextValidId

    await client.expect(NextValidId)
    assert client.all(TickPrice) == []


async def test_without_a_channel(tws: Any, tmp_path: Path) -> None:
    process = await tws("sim", "--port", "0", "--no-control")
    await process.stdout.readline()
    assert not (tmp_path / "tws").exists()
    process.terminate()
    await process.wait()
