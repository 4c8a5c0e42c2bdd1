"""The user of the setup guide: its script, its lines for each shell, and its commands, from a checkout.

The guide lies beside the checkout where it may be used; elsewhere the script of docs/setup.md, which has the
same shape, stands in for it.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tws.config import TWSConfig
from tws.errors import ConfigError
from tws.simulator import SimulatedTWS, SimulatorOptions

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT.parent / "shared" / "seed" / "TWS_SETUP_GUIDE.md"
OURS = ROOT / "docs" / "setup.md"

TESTS = "tests/integration/test_tws_connection.py::TestTWSConnection::"
CREATION, LIVE = TESTS + "test_tws_connection_creation", TESTS + "test_tws_connection_to_live_tws"


def fenced(language: str) -> list[str]:
    page = GUIDE if GUIDE.exists() else OURS
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def guide_script() -> str:
    script = next(block for block in fenced("python") if "from src.tws_config import TWSConfig" in block)
    assert "port=7497" in script
    return script


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_script_connects(simulator_port: int, run_program) -> None:  # type: ignore[no-untyped-def]
    script = guide_script().replace("port=7497", f"port={simulator_port}")
    ran = await run_program(script, "test_tws_proper.py")
    assert ran.code == 0, ran.err
    assert "successful" in ran.out
    assert "failed" not in ran.out
    assert ran.err == ""


async def test_the_script_as_it_stands_on_port_7497(run_program) -> None:  # type: ignore[no-untyped-def]
    served = SimulatedTWS(SimulatorOptions(port=7497))
    try:
        await served.start()
    except OSError:
        pytest.skip("port 7497 is taken, perhaps by a TWS: it is left alone")
    try:
        ran = await run_program(guide_script(), "test_tws_proper.py")
    finally:
        await served.stop()
    assert ran.code == 0, ran.err
    assert "successful" in ran.out
    assert ran.err == ""


async def test_the_script_says_when_nothing_listens(run_program) -> None:  # type: ignore[no-untyped-def]
    script = guide_script().replace("port=7497", f"port={free_port()}")
    ran = await run_program(script, "test_tws_proper.py")
    assert ran.code == 0, ran.err
    assert "failed" in ran.out
    assert "successful" not in ran.out
    assert "Traceback" not in ran.err


def test_the_lines_for_each_shell_are_read(tmp_path: Path) -> None:
    block = next(block for block in fenced("bash") if "TWS_ACCOUNT=" in block)
    file = tmp_path / ".env"
    file.write_text(block, encoding="utf-8")
    with pytest.raises(ConfigError, match="placeholder"):
        TWSConfig.from_env({}, env_file=file)
    file.write_text(block.replace("your_paper_account_id", "DU1234567"), encoding="utf-16")
    assert TWSConfig.from_env({}, env_file=file) == TWSConfig("127.0.0.1", 7497, 10, "DU1234567")


async def test_the_creation_command(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    ran = await run_in_checkout("-m", "pytest", CREATION, "-v")
    assert ran.code == 0, ran.out + ran.err
    assert "1 passed" in ran.out


@pytest.mark.skipif(
    (ROOT / ".env").exists(), reason="a .env in the checkout names a TWS, which is left alone"
)
async def test_the_live_command_without_a_tws_uses_a_simulator(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    ran = await run_in_checkout("-m", "pytest", LIVE, "-v", "-s")
    assert ran.code == 0, ran.out + ran.err
    assert "simulated TWS: host 127.0.0.1" in ran.out
    assert "1 passed" in ran.out


async def test_the_live_command_meets_the_tws_that_is_named(simulator_port: int, run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    ran = await run_in_checkout(
        "-m",
        "pytest",
        LIVE,
        "-v",
        "-s",
        TWS_HOST="127.0.0.1",
        TWS_PORT=str(simulator_port),
        TWS_ACCOUNT="DU1234567",
    )
    assert ran.code == 0, ran.out + ran.err
    assert f"TWS: host 127.0.0.1, port {simulator_port}" in ran.out
    assert "DU*****67" in ran.out
    assert "DU1234567" not in ran.out


async def test_the_live_command_fails_with_cause_and_cure(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    ran = await run_in_checkout("-m", "pytest", LIVE, "-v", TWS_PORT=str(free_port()))
    assert ran.code == 1, ran.out + ran.err
    assert "Cure: " in ran.out
    assert "1 failed" in ran.out


async def test_the_live_command_refuses_the_placeholder(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    ran = await run_in_checkout("-m", "pytest", LIVE, TWS_PORT="7400", TWS_ACCOUNT="your_paper_account_id")
    assert ran.code == 1
    assert "placeholder" in ran.out


async def test_other_tests_never_meet_the_tws_of_the_shell(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    """Whoever runs all the tests with TWS_PORT set in the shell does not mean his TWS."""
    ran = await run_in_checkout(
        "-m",
        "pytest",
        "tests",
        "--ignore-glob=*/tests/[!i]*",  # collecting them all takes long, and shows no more
        "--ignore-glob=*/tests/in[!t]*",
        "-k",
        "test_tws_connection_to_live_tws",
        "-s",
        TWS_PORT=str(free_port()),
    )
    assert ran.code == 0, ran.out + ran.err
    assert "simulated TWS: host 127.0.0.1" in ran.out
