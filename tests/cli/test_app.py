"""The command line as its users meet it: processes of their own, exit codes, every encoding."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import pytest
from tests.crash.process import in_process

from tws.cli.app import COMMANDS, _load
from tws.testing import HostedTWS

HEAVY = (
    "ibapi",
    "google",
    "pydantic",
    "pydantic_settings",
    "asyncio",
    "rich",
    "psutil",
    "httpx",
    "structlog",
)


def run(*words: str, cwd: Path, encoding: str = "utf-8", **how: Any) -> subprocess.CompletedProcess[bytes]:
    """The command as a process; see `execute`."""
    code = "import sys; from tws.cli.app import main; main(sys.argv[1:])"
    return execute(code, *words, cwd=cwd, encoding=encoding, **how)


def execute(
    code: str, *words: str, cwd: Path, encoding: str, stdout: IO[str] | int = subprocess.PIPE,
    closed: bool = False, **env: str,
) -> subprocess.CompletedProcess[bytes]:  # fmt: skip
    """`closed`: with a stdout that is closed, as by `>&-`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TWS_")}
    command = [sys.executable, "-X", "utf8=0", "-c", code, *words]
    return subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command] if closed else command,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**inherited, "PYTHONIOENCODING": encoding, "NO_COLOR": "1", **env},
        check=False,
        timeout=120,
    )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_lists_every_command_and_nothing_else(tmp_path: Path, word: str) -> None:
    done = run(word, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    listed = done.stdout.decode("ascii").split("Commands:")[1].split("Exit codes")[0]
    assert [line.split()[0] for line in listed.splitlines() if line.strip()] == list(COMMANDS)
    assert "..." not in listed  # no line is cut


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom tws.cli.app import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('loaded', sorted({{name.split('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_every_listed_command_exists_and_explains_itself(encoding: str, tmp_path: Path) -> None:
    """One process asks for all of them: an interpreter for each would take half a minute."""
    code = (
        "from tws.cli.app import COMMANDS, main\n"
        "for name in COMMANDS:\n    try:\n        main([name, '--help'])\n"
        "    except SystemExit as ended:\n        print(f'\\f{ended.code}', end='\\f')"
    )
    done = execute(code, cwd=tmp_path, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    *said, rest = done.stdout.decode(encoding).split("\f")
    assert (len(said), rest) == (2 * len(COMMANDS), "")
    for name, text, ended in zip(COMMANDS, said[::2], said[1::2], strict=True):
        assert text.startswith(f"Usage: tws {name}") and ended == "0", text


@pytest.mark.parametrize("name", COMMANDS)
def test_a_listed_command_goes_by_its_name(name: str) -> None:
    assert _load(name).name == name


def test_version(tmp_path: Path) -> None:
    done = run("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout.decode().strip()) == (0, f"tws {version('tws-trading-framework')}")


def test_a_slip_is_answered_with_the_nearest_command(tmp_path: Path) -> None:
    done = run("docter", cwd=tmp_path)
    assert done.returncode == 2
    assert b"'doctor'" in done.stderr and b"Traceback" not in done.stderr


def test_an_unknown_option_is_bad_usage(tmp_path: Path) -> None:
    assert run("doctor", "--prot", "1", cwd=tmp_path).returncode == 2
    assert run("doctor", "--port", "many", cwd=tmp_path).returncode == 2


def test_a_wrong_setting_is_one_line_with_its_cure(tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path, TWS_PORT="70000")
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert "TWS_PORT" in line and "70000" in line and "7497" in line
    assert run("doctor", "--mode", "demo", cwd=tmp_path).returncode == 2


def test_a_wrong_setting_is_json_where_json_is_asked_for(tmp_path: Path) -> None:
    done = run("doctor", "--json", cwd=tmp_path, TWS_PORT="70000")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "ConfigError" and "70000" in error["text"]


def test_a_bug_of_ours_says_so(tmp_path: Path) -> None:
    code = (
        "import sys, types, typer\nfrom tws.cli import app\n"
        "def demo() -> None:\n    raise ZeroDivisionError('oh')\n"
        "module = types.ModuleType('broken'); module.demo = demo; sys.modules['broken'] = module\n"
        "app.COMMANDS['demo'] = app.Entry('broken', 'x')\napp.main(['demo'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 70
    assert "ZeroDivisionError: oh" in done.stderr and "bug in tws" in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_the_doctor_reports_in_every_encoding(tmp_path: Path, encoding: str, as_json: bool) -> None:
    port = free_port()
    words = ["doctor", "--port", str(port), "--timeout", "3", *(["--json"] if as_json else [])]
    done = run(*words, cwd=tmp_path, encoding=encoding)
    assert (done.returncode, done.stderr) == (1, b"")
    text = done.stdout.decode(encoding)
    assert "?" not in text  # nothing was replaced: the signs were chosen for the encoding
    if as_json:
        report = json.loads(text)
        assert set(report) == {
            "healthy", "target", "steps", "findings", "warnings", "packages", "listeners", "processes", "wsl",
            "session", "data", "settings", "pauses",
        }  # fmt: skip
        assert report["target"] == {
            "host": "127.0.0.1",
            "port": port,
            "client_id": 1,
            "account": "",
            "mode": "paper",
        }
        nobody = ("nothing_listens", "other_port", "api_off", "refused", "wsl_other_side", "tws_inside_wsl")
        assert [finding["key"] for finding in report["findings"]][-1] in nobody
        assert set(report["findings"][0]) == {"key", "stage", "cause", "cure"}
        assert {package["name"] for package in report["packages"]} == {"ibapi", "protobuf"}
    else:
        assert "cause:" in text and "cure:" in text and f"127.0.0.1:{port}" in text
        assert ("✗" in text) == (encoding == "utf-8")


def test_the_doctors_help_teaches_and_symbols_are_checked(tmp_path: Path) -> None:
    text = run("doctor", "--help", cwd=tmp_path).stdout.decode()
    assert "--symbols" in text and "tws doctor --port 4002" in " ".join(text.split())
    done = run("doctor", "--symbols", "$SPX", cwd=tmp_path)
    assert done.returncode == 2 and b"EUR.USD" in done.stderr


@pytest.mark.parametrize("asked", [True, False])
def test_the_doctor_tells_causes_and_warnings_apart(asked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tws.monitor.doctor.questions._SLOW_MS", 60_000)  # a busy machine is no slow TWS
    with HostedTWS(unsubscribed=("SPY",), symbols=("SPY",)) as tws:
        words = ["doctor", "--port", str(tws.port), *(["--symbols", "SPY"] if asked else [])]
        code, text = in_process(*words)
    assert code == (1 if asked else 0), text
    assert ("healthy" in text.splitlines()) == (not asked)
    assert ("cause: SPY: live data are not subscribed" in text) == asked
    assert ("know:  SPY: live data are not subscribed" in text) == (not asked)
    assert "API > Precautions" in text


def test_the_doctor_takes_its_defaults_from_the_environment(tmp_path: Path) -> None:
    port = free_port()
    done = run("doctor", "--json", "--client-id", "8", cwd=tmp_path, TWS_PORT=str(port), TWS_CLIENT_ID="3")
    target = json.loads(done.stdout)["target"]
    assert (target["port"], target["client_id"]) == (port, 8)
    (tmp_path / ".env").write_text(f"set TWS_PORT={port}\n", encoding="utf-8")
    assert json.loads(run("doctor", "--json", cwd=tmp_path).stdout)["target"]["port"] == port


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no signal that one process sends to another alone"
)
def test_ctrl_c_ends_quietly_with_130(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        deaf.settimeout(120)
        port = deaf.getsockname()[1]
        # A run in the background hands down an ignored Ctrl-C, which Python then leaves ignored.
        heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        code = heed + "import sys; from tws.cli.app import main; main(sys.argv[1:])"
        process = subprocess.Popen(
            [sys.executable, "-c", code, "doctor", "--port", str(port), "--timeout", "120"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        session, _ = deaf.accept()  # it is in the middle of a handshake now
        with session:
            session.settimeout(120)
            assert session.recv(4) == b"API\0"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
            assert (process.returncode, errors) == (130, b"")
            while session.recv(1000):  # the rest of the hello, then a clean end
                pass
