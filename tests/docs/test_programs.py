"""The programs of the documentation run as they stand there: only the port is replaced.

A block joins a later issue, and is only compiled, when its heading says "(joins with ...)".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.docs.conftest import Runner, run_command

from tws.simulator import SimulatedTWS, SimulatorOptions

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/setup.md", "docs/design/api.md", "docs/design/testing.md")

TWS_CALLED = re.compile(r"\bport=\d+")
TWS = "import sys; from tws.cli.app import main; main(sys.argv[1:])"
LONGEST_PROGRAM = 25  # lines: the promise of docs/design/api.md


class Block(NamedTuple):
    """One fenced block: where it stands, under which heading, in which language."""

    page: str
    line: int
    heading: str
    language: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """All fenced blocks of a page."""
    heading, language, start, body = "", None, 0, []
    for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), start=1):
        if language is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif language is None and line.startswith("```"):
            language, start, body = line[3:].strip(), number, []
        elif language is not None and line == "```":
            yield Block(page, start, heading, language, "\n".join(body) + "\n")
            language = None
        elif language is not None:
            body.append(line)
    assert language is None, f"{page}: the block of line {start} is never closed"


ALL = [block for page in PAGES for block in blocks(page)]
PYTHON = [block for block in ALL if block.language == "python"]
RUN = [block for block in PYTHON if "joins with" not in block.heading and "run_strategy(" not in block.text]


def name_of(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize("block", RUN, ids=name_of)
async def test_a_program_runs(block: Block, simulator_port: int, run_program) -> None:  # type: ignore[no-untyped-def]
    text = TWS_CALLED.sub(f"port={simulator_port}", block.text)
    ran = await run_program(text, as_test="\ndef test_" in text or "\nasync def test_" in text)
    assert ran.code == 0, ran.err
    assert ran.err == "", "a program of the docs leaves no warning behind"
    assert ran.out.strip(), "and says something"


async def test_a_strategy_trades_until_it_is_stopped(
    tmp_path: Path, clean_env: dict[str, str], run_in_checkout: Runner
) -> None:
    """Program 4 of api.md with its configuration, both as they stand there; `tws stop` ends it."""
    (program,) = [block for block in PYTHON if "run_strategy(" in block.text]
    (config,) = [block for block in ALL if block.heading == program.heading and block.language == "toml"]
    served = SimulatedTWS(SimulatorOptions(port=0, seed=7))
    _, port = await served.start()
    (tmp_path / "momentum.py").write_text(program.text, encoding="utf-8")
    text = re.sub(r"\bport = \d+", f"port = {port}", config.text)
    (tmp_path / "tws.toml").write_text(text, encoding="utf-8")
    running = asyncio.create_task(run_command(["momentum.py"], tmp_path, clean_env))
    try:
        while not served.exchange.executions() and not running.done():  # noqa: ASYNC110 - sets no event
            await asyncio.sleep(0.05)
        stopped = await run_in_checkout("-c", TWS, "stop", "--flatten")
        ran = await running
    finally:
        await served.stop()
    assert stopped.code == 0, stopped.out + stopped.err + ran.out + ran.err
    assert ran.code == 0, ran.err
    assert "momentum (Momentum of momentum.py): SPY, 10 shares" in ran.out
    assert "strategy    momentum stopped" in ran.out and "left        nothing: flat" in ran.out


@pytest.mark.parametrize("block", PYTHON, ids=name_of)
def test_a_program_is_short_and_compiles(block: Block) -> None:
    compile(block.text, name_of(block), "exec")
    if block.page.endswith("api.md"):
        assert len(block.text.splitlines()) <= LONGEST_PROGRAM


def test_every_page_has_programs() -> None:
    assert {block.page for block in RUN} == set(PAGES)


def test_every_link_between_our_pages_leads_somewhere() -> None:
    wrong = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                wrong.append(f"{path.relative_to(ROOT)}: {target}")
    assert not wrong, "\n".join(wrong)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert named <= targets, path


def test_every_design_page_is_in_the_index() -> None:
    folder = ROOT / "docs" / "design"
    index = (folder / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name
        for page in folder.glob("*.md")
        if page.name != "README.md" and f"({page.name})" not in index
    ]
    assert not missing
