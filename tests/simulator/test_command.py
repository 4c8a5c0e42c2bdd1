"""`tws sim` as a user starts it: one line when ready, a clean end, clear refusals."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from tests.crash.process import in_process

from tws.simulator.market import write_csv
from tws.simulator.universe import UNIVERSE

RUN = "from tws.cli.app import main; main()"
T0 = 1_767_623_400_000_000_000


async def tws_sim(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        "sim",
        "--no-control",  # it would leave a note in the state folder of whoever runs the tests
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_one_line_when_ready_and_a_clean_end(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "SPY-x-1s.csv.gz", UNIVERSE[0], kind="1s", start_ns=T0, seconds=30)
    process = await tws_sim("--port", "0", "--data", str(path), "--symbol", "CVNA=SPY", "--speed", "10")
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    host, port = line.removeprefix("listening on ").strip().split(":")
    assert line.startswith("listening on ") and host == "127.0.0.1"
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    process.terminate()
    rest, _ = await process.communicate()
    assert rest == b""
    assert process.returncode == 0 or sys.platform == "win32"  # there terminate() is no signal


@pytest.mark.skipif(sys.platform == "win32", reason="a process can't send another one Ctrl-C there")
async def test_ctrl_c_is_a_clean_end() -> None:
    process = await tws_sim("--port", "0")
    assert process.stdout is not None
    await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = await process.communicate()
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--speed", "0"), "speed"),
        (("--speed", "fast"), "speed"),
        (("--hours", "never"), "hours"),
        (("--host", "0.0.0.0"), "--any-host"),
        (("--server-version", "226"), "157 to 225"),
        (("--symbol", "CVNA"), "NAME=SERIES"),
        (("--symbol", "CVNA=SPY"), "--data"),
        (("--data", "SPY-missing.csv"), "SPY-missing.csv"),
        (("--faults", "storm"), "stormy-orders"),
        (("--subscribed", "moon"), "fundamentals"),
    ],
)
def test_what_is_wrong_is_said(options: tuple[str, ...], words: str) -> None:
    code, said = in_process("sim", "--no-control", "--port", "0", *options)
    assert code == 2
    assert words in said and "Traceback" not in said and "listening" not in said


async def test_a_bad_row_ends_it_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "SPY-x-1s.csv"
    rows = [f"{T0 // 10**6},,,,,,1,1,1.1,1", f"{T0 // 10**6 + 500},1,1,1,oops,1,1,1,1.1,1"]
    header = "time_utc_ms,open,high,low,close,volume,bid,bid_size,ask,ask_size"
    path.write_text("\n".join([header, *rows]), "utf-8")
    process = await tws_sim("--port", "0", "--data", str(path), "--speed", "max")
    _, said = await process.communicate()
    assert process.returncode == 2
    assert f"{path}, line 3: close is 'oops', not a number" in said.decode()


async def test_a_taken_port_is_said() -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    process = await tws_sim("--port", str(server.sockets[0].getsockname()[1]))
    _, said = await process.communicate()
    server.close()
    assert process.returncode == 2 and "can't be listened on" in said.decode()
