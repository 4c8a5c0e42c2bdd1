"""Pure packages ask nobody: no file, no clock, no hash that changes with the process, no order out of a set.

The checks read the syntax tree, so they see what is written plainly: a set that travels through three
variables escapes them. The simulated world, which repeats each seed, catches the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
PURE = ("wire", "bars", "indicators", "orders", "positions", "exchange", "risk", "rules", "strategy", "desk")
FILES = sorted(path for package in PURE for path in (SRC / "tws" / package).rglob("*.py"))

# hash() of text differs from process to process.
BANNED_CALLS = {"open", "print", "input", "breakpoint", "exec", "eval", "hash", "__import__"}
BANNED_METHODS = {"now", "utcnow", "today", "time_ns", "monotonic", "perf_counter", "read_text", "write_text"}

# A call that is needed all the same, and why. (file, call): reason.
EXCEPTIONS = {
    (
        "wire/compiler.py",
        "exec()",
    ): "writes each codec from its layout once, at import; the source is our own table",
}

# These give the same answer in whatever order their argument comes.
ORDER_BLIND = {"sorted", "set", "frozenset", "len", "min", "max", "sum", "any", "all", "dict", "Counter"}
ORDER_SHOWN = {
    "list",
    "tuple",
    "iter",
    "enumerate",
    "zip",
    "map",
    "filter",
    "reversed",
    "next",
    "deque",
    "join",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SRC / "tws").as_posix())
def test_a_pure_module_asks_nobody(path: Path) -> None:
    found = ast.parse(path.read_text(encoding="utf-8"), str(path))
    wrong = [*banned_calls(found), *set_orders(found)]
    name = path.relative_to(SRC / "tws").as_posix()
    excused = {call for file, call in EXCEPTIONS if file == name}
    unexcused = [line for line in wrong if line.split(": ", 1)[1] not in excused]
    assert not unexcused, "\n".join(unexcused)
    assert excused <= {line.split(": ", 1)[1] for line in wrong}, (
        "delete the exception that is no longer needed"
    )


def banned_calls(found: ast.AST) -> Iterator[str]:
    """Calls that reach out of the arguments."""
    for node in ast.walk(found):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS:
            yield f"line {node.lineno}: {node.func.id}()"
        if isinstance(node.func, ast.Attribute) and node.func.attr in BANNED_METHODS:
            of = node.func.value
            # A method of our own may have such a name; the modules and classes that tell the time may not.
            if isinstance(of, ast.Name) and of.id in {"datetime", "date", "time", "Path", "dt"}:
                yield f"line {node.lineno}: {of.id}.{node.func.attr}()"


def set_orders(found: ast.AST) -> Iterator[str]:
    """Places where the order of a set can be seen."""
    names = set_names(found)
    blind = {
        id(argument)
        for node in ast.walk(found)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_BLIND
        for argument in node.args
    }
    for node in ast.walk(found):
        if isinstance(node, ast.For | ast.AsyncFor) and is_set(node.iter, names):
            yield f"line {node.lineno}: a loop over a set; sort it, or keep a dict"
        elif isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp) and id(node) not in blind:
            if any(is_set(part.iter, names) for part in node.generators):
                yield f"line {node.lineno}: a comprehension over a set"
        elif isinstance(node, ast.Starred) and is_set(node.value, names):
            yield f"line {node.lineno}: a set is unpacked"
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if (
                name in ORDER_SHOWN
                and id(node) not in blind
                and any(is_set(part, names) for part in node.args)
            ):
                yield f"line {node.lineno}: {name}() of a set"
            if (
                name == "pop"
                and not node.args
                and isinstance(node.func, ast.Attribute)
                and is_set(node.func.value, names)
            ):
                yield f"line {node.lineno}: pop() of a set"


def set_names(found: ast.AST) -> set[str]:
    """Variables and attributes that are declared or made as sets, unless the name is something else too."""
    sets: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(found):
        if isinstance(node, ast.AnnAssign):
            target = spelled(node.target)
            (sets if is_set_type(node.annotation) else others).add(target)
        elif isinstance(node, ast.arg) and node.annotation is not None:
            (sets if is_set_type(node.annotation) else others).add(node.arg)
        elif isinstance(node, ast.Assign):
            for item in node.targets:
                (sets if is_set(node.value, set()) else others).add(spelled(item))
    return sets - others - {""}


def spelled(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def is_set_type(node: ast.AST) -> bool:
    base = node.value if isinstance(node, ast.Subscript) else node
    return isinstance(base, ast.Name) and base.id in {"set", "frozenset", "Set", "AbstractSet", "MutableSet"}


def is_set(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"set", "frozenset"}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return is_set(node.left, names) or is_set(node.right, names)
    return bool(spelled(node)) and spelled(node) in names


CAUGHT = [
    "for x in {1, 2}: pass",
    "def f(a: set[int]):\n    for x in a: pass",
    "a: set[int] = set()\nb = [x for x in a]",
    "b = list(set(c))",
    "class A:\n    def __init__(self): self.x: set[int] = set()\n    def f(self): return next(iter(self.x))",
    "b = {1} | c\nfor x in b: pass",
    "a: set[int] = set()\nb = a.pop()",
    "a: frozenset[str] = frozenset()\nb = ','.join(a)",
    "open('x')",
    "datetime.now(UTC)",
    "x = hash('a')",
]
FREE = [
    "for x in sorted({1, 2}): pass",
    "a: set[int] = set()\nb = any(x for x in a)\nc = {x for x in a}\nd = len(a)\ne = 3 in a",
    "a: dict[int, int] = {}\nfor x in a: pass\na.pop(3)",
    "a: list[int] = []\nb = a.pop()",
    "self.book.open(3)",
]


@pytest.mark.parametrize("source", CAUGHT)
def test_the_check_sees(source: str) -> None:
    found = ast.parse(source)
    assert [*banned_calls(found), *set_orders(found)]


@pytest.mark.parametrize("source", FREE)
def test_the_check_is_quiet(source: str) -> None:
    found = ast.parse(source)
    assert not [*banned_calls(found), *set_orders(found)]
