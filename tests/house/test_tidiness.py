"""The habits of CONTRIBUTING.md that a machine can hold: length, opening paragraphs, no secrets.

A bound that a file breaks today stands in a table with its number: it may only fall (a ratchet).
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FILES = sorted([*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")])

LONGEST_FILE = 500  # lines; a file that fits in the head has about 300
LONGEST_FUNCTION = 70  # lines, its docstring included: a screen

# name: lines today, and why. None may grow; one that has shrunk below the bound is deleted here.
LONG_FILES: dict[str, tuple[int, str]] = {}
LONG_FUNCTIONS: dict[str, tuple[int, str]] = {}

SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a token": re.compile(
        r"\b(gh[p]_|github_[p]at_|glp[a]t-|xo[x][abp]-|sk-[A-Za-z0-9]{20}|AKIA[A-Z0-9]{16})"
    ),
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_fits_in_the_head(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    bound, _ = LONG_FILES.get(name_of(path), (LONGEST_FILE, ""))
    assert lines <= bound, f"{lines} lines; past {bound} it wants a wall in its middle"


def test_a_function_fits_on_a_screen() -> None:
    long = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                name = f"{name_of(path)}:{node.name}"
                if length > LONG_FUNCTIONS.get(name, (LONGEST_FUNCTION, ""))[0]:
                    long[name] = length
    assert not long, long


def test_the_ratchets_hold_only_what_is_long() -> None:
    for name, (bound, reason) in LONG_FILES.items():
        assert bound > LONGEST_FILE, f"delete {name}"
        assert reason, name
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > LONGEST_FILE, f"delete {name}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_opens_with_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), (
        "begin with a paragraph: what it is for, how it works"
    )


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode("utf-8").split("\0") if name]


def test_nothing_private_is_in_the_tree() -> None:
    wrong = []
    for path in tracked():
        if path.name == ".env" or path.suffix in {".pem", ".key", ".sqlite3"}:
            wrong.append(f"{name_of(path)}: should not be tracked")
        elif path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            wrong += [f"{name_of(path)}: {what}" for what, pattern in SECRETS.items() if pattern.search(text)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text", ["-----BEGIN RSA " + "PRIVATE KEY-----", "gh" + "p_abcdef", "AKIA" + "A" * 16]
)
def test_the_check_sees(text: str) -> None:
    assert any(pattern.search(text) for pattern in SECRETS.values())
