"""What an example says at its top: what it teaches, and the commands that play it.

The paragraph at the top of a program, the comment of a TOML file, the first cell of a notebook: its first
sentence is the title, and its indented lines that begin with `tws` or `python` are the commands, in their
order. What stands behind two blanks is an explanation.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

__all__ = ["EXAMPLES", "Example", "all_examples", "read"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Example(NamedTuple):
    """One example, as its own first lines tell."""

    path: Path
    title: str
    commands: tuple[str, ...]

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @property
    def own(self) -> str:
        """The command that is the example: the trader's where there is one, else the last."""
        traders = [each for each in self.commands if each.startswith("tws run ")]
        return (traders or self.commands)[-1]

    def arguments(self) -> list[list[str]]:
        """The commands as a shell splits them."""
        return [shlex.split(command) for command in self.commands]


def all_examples() -> list[Example]:
    """In the order of their numbers. What is only read by another one (its TOML file) is none by itself."""
    found = [path for path in sorted(EXAMPLES.iterdir()) if re.match(r"\d\d_", path.name)]
    return [read(path) for path in found if path.suffix != ".toml" or not path.with_suffix(".py").exists()]


def read(path: Path) -> Example:
    """The example in this file."""
    said = top_of(path)
    title = " ".join(re.split(r"(?<=[.])\s|\n\n", said, maxsplit=1)[0].split()).removeprefix("# ")
    commands = re.findall(r"^ {4,}((?:tws|python) .*)$", said, re.MULTILINE)
    return Example(path, title.rstrip("."), tuple(re.split(r"\s{2,}", each)[0].strip() for each in commands))


def top_of(path: Path) -> str:
    """The text that opens a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return ast.get_docstring(ast.parse(text), clean=False) or ""
    if path.suffix == ".ipynb":
        return "".join(json.loads(text)["cells"][0]["source"])
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").removeprefix(" "))
    return "\n".join(lines)
