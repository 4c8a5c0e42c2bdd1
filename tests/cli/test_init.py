"""`tws init`, `tws sim`, `tws check --connect` and `tws run`, as processes, to a first trade."""

from __future__ import annotations

import io
import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from tws.config import load_settings
from tws.preflight.scaffold import SOURCE_NAMES, WHERE_NAMES

TWS = [sys.executable, "-c", "from tws.cli.app import main; main()"]
WAIT_S = 120


def environment(folder: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
    return kept | {"HOME": str(folder), "LOCALAPPDATA": str(folder), "XDG_STATE_HOME": str(folder)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(words: list[str], env: dict[str, str], folder: Path) -> Iterator[None]:
    """A command that serves, once it listens; asked to end at the end."""
    said = folder / f"{words[0]}.txt"
    with said.open("wb") as file:
        process = subprocess.Popen([*TWS, *words], stdout=file, env=env, cwd=folder)
    try:
        end = time.monotonic() + WAIT_S
        while "listening on" not in (text := said.read_text(encoding="utf-8")):
            assert process.poll() is None and time.monotonic() < end, text
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(WAIT_S)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "ports"),
    [
        ("", ("7400",)),
        ("simulator\nspy, iwm\n2500\n1.5%\n2\nfile\n", ("7400",)),
        ("simulator\nSPY,QQQ\n10000\n2\n3\nhttp\n", ("7400", "8700")),
    ],
    ids=["defaults", "file", "http"],
)
def test_from_nothing_to_a_first_trade(tmp_path: Path, answers: str, ports: tuple[str, ...]) -> None:
    """The commands that `tws init` prints, typed as printed; the ports are free ones everywhere."""
    env = environment(tmp_path)

    def tws(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*TWS, *words], input=answers, capture_output=True, text=True, env=env, cwd=tmp_path,
            timeout=WAIT_S, check=False,
        )  # fmt: skip

    made = tws("init", "desk", *(() if answers else ("--defaults",)))
    assert made.returncode == 0, made.stderr
    moved = {port: str(free_port()) for port in ports}
    texts = [line.strip() for line in made.stdout.splitlines() if line.startswith("    tws ")]
    for old, new in moved.items():
        texts = [text.replace(old, new) for text in texts]
        for file in (tmp_path / "desk" / "tws.toml", tmp_path / "desk" / ".env"):
            if file.exists():
                file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    commands = [shlex.split(text, posix=sys.platform != "win32")[1:] for text in texts]
    *servers, check, run = commands
    assert (check[0], run[0], run[-2:]) == ("check", "run", ["--for", "60s"])
    with ExitStack() as stack:
        for words in servers:
            if words[0] == "api-demo":
                words += ["--port", moved["8700"]]
            stack.enter_context(serving(words, env, tmp_path))
        checked = tws(*check)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stdout.rstrip().endswith("fine")
        ran = tws(*run[:-1], "30s", "--json")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        report = json.loads(ran.stdout)
        assert report["traded"] >= 1 and report["fills"] >= 2, report
        assert report["flat"] and report["good"] and report["mode"] == "simulator"


def test_answers_are_asked_for(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("paper\nIBM\n5000\n1\n2\nbreakout\n"))
    code, out = call("init", tmp_path / "desk")
    assert code == 0, out
    assert "tws doctor --port 7497" in out
    settings = load_settings(tmp_path / "desk" / "tws.toml")
    assert settings.connection.port == 7497 and settings.strategies[0].symbols == ("IBM",)
    code, out = call("init", tmp_path / "desk", "--defaults")
    assert code == 2 and "--force" in out
    assert call("init", tmp_path / "desk", "--defaults", "--force")[0] == 0


@pytest.mark.parametrize("source", SOURCE_NAMES)
@pytest.mark.parametrize("where", WHERE_NAMES)
def test_each_way_of_answering_passes_its_check(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, where: str, source: str
) -> None:
    """What is to be done by hand is done as the note says: the variables of an API are filled in."""
    for name in ("API_BASE_URL", "API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{where}\nSPY,brk b\n2500\n1.5%\n0.75\n{source}\n"))
    desk = tmp_path / "desk"
    code, out = call("init", desk)
    assert code == 0, out
    if f"Copy {desk / '.env.example'}" in out:
        example = (desk / ".env.example").read_text(encoding="utf-8")
        filled = example.replace("#API_BASE_URL=", "API_BASE_URL=").replace("#API_KEY=", "API_KEY=a-key")
        (desk / ".env").write_text(filled, encoding="utf-8")
    code, out = call("check", desk / "tws.toml", "--state", tmp_path / "state")
    assert code == 0 and out.rstrip().endswith("fine"), out
    assert "BRK B" in out and "2500 money an entry, stop 1.50%, target 0.75%" in out


def test_a_wrong_answer_writes_nothing(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("paper\nIBM\nnone\n1\n2\nfile\n"))
    code, out = call("init", tmp_path / "desk")
    assert code == 2 and "money" in out
    assert not (tmp_path / "desk").exists()
