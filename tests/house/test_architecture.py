"""The rules of docs/design/architecture.md, read off the syntax trees: who may import whom, and what is pure.

Every import counts, those inside functions and under TYPE_CHECKING too: a layer that knows a type above it
can't be understood without it. What has to break a rule stands in a table here, with its reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"

LAYERS: list[list[str]] = [
    ["errors", "clock", "config", "model", "platform", "log", "channel"],
    ["wire", "bars", "indicators", "orders", "ordertypes", "positions", "exchange"],
    ["risk", "rules"],
    ["strategy", "desk"],
    ["connection", "simulator", "journal", "signals", "marketdata", "world", "recording",
     "safety"],
    ["runtime", "monitor"],
    ["backtest", "certify", "demo", "drill", "preflight", "testing"],
    ["cli", "dashboard"],
]
LAYER_OF = {package: number for number, packages in enumerate(LAYERS, start=1) for package in packages}

# Layer 1 is a ladder: each may import those before it.
LADDER = ["errors", "clock", "config", "model"]

PURE = {"wire", "bars", "indicators", "orders", "ordertypes", "positions", "exchange", "risk", "rules",
        "strategy", "desk"}

# What pure code may import of the world outside: values, numbers and text, nothing that acts or asks.
PURE_MAY_IMPORT = frozenset(
    """
        __future__ abc array bisect collections contextlib copy dataclasses datetime decimal difflib enum
        fractions functools hashlib heapq itertools json math msgspec numbers operator re struct textwrap
        types typing zlib
    """.split()
)

# A pure module that needs one more: (module, imported): reason.
PURE_MODULE_MAY_IMPORT = {
    ("tws.wire.protobuf.mapping", "importlib"): "203 official modules, found by name",
    ("tws.wire.markup", "xml"): "a parser of text, without a file and without entities",
}

# Of layer 1, what knows the machine or the environment; tws.config.ports is a table of numbers.
PURE_MAY_NOT_IMPORT = {"tws.platform", "tws.config"}
PURE_MAY_STILL_IMPORT = {"tws.config.ports"}
PURE_MAY_NOT_NAME = {("tws.clock", "SystemClock"), ("tws.clock", "system_rng")}

# An import against the rules, and why it has to be. (importing module, imported package): reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}

# Who may know the official client. A prefix of a module's name covers what is below it.
CLIENT_LIBRARIES: dict[str, tuple[str, ...]] = {
    "ibapi": ("tws.connection",),
    "ibapi.protobuf": ("tws.connection", "tws.wire.protobuf"),
    "google": ("tws.connection", "tws.wire.protobuf"),
}


class Import(NamedTuple):
    """One imported module, and the name taken from it ("" for the module itself)."""

    module: str
    name: str
    line: int


@cache
def modules() -> dict[str, Path]:
    """Every module of the package `tws`, by its dotted name."""
    found = {}
    for path in sorted((SRC / "tws").rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(name: str, path: Path) -> Iterator[Import]:
    """All imports of a module, wherever they stand; relative ones made absolute."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, "", node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                # `from tws import model` imports a module, not a name of `tws`.
                inner = f"{base}.{alias.name}"
                yield (
                    Import(inner, "", node.lineno)
                    if inner in modules()
                    else Import(base, alias.name, node.lineno)
                )


def package_of(module: str) -> str:
    """`orders` of `tws.orders.table`; "" for `tws` itself and for what is not ours."""
    parts = module.split(".")
    return parts[1] if parts[0] == "tws" and len(parts) > 1 else ""


def may_import(importer: str, imported: str) -> bool:
    """Whether a package may import another, by the layers alone."""
    if importer == imported:
        return True
    if importer in LADDER and imported in LADDER:
        return LADDER.index(imported) < LADDER.index(importer)
    if importer == "platform":
        return imported == "errors"
    if importer == "channel":
        return imported in ("errors", "log")
    if importer == "exchange":
        return LAYER_OF[imported] == 1
    return LAYER_OF[imported] < LAYER_OF[importer]


MODULES = sorted(modules())
PURE_MODULES = [name for name in MODULES if package_of(name) in PURE]


def test_every_package_has_its_layer() -> None:
    unknown = {package_of(name) for name in MODULES} - set(LAYER_OF) - {""}
    assert not unknown, f"give {sorted(unknown)} a layer here and in docs/design/architecture.md"


@pytest.mark.parametrize("name", [name for name in MODULES if name != "tws"])
def test_imports_run_downwards(name: str) -> None:
    wrong = [
        f"line {found.line}: {package_of(name)} (layer {LAYER_OF[package_of(name)]}) imports {found.module}"
        for found in imports(name, modules()[name])
        if (target := package_of(found.module))
        and not may_import(package_of(name), target)
        and (name, target) not in EXCEPTIONS
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_imports_the_face() -> None:
    """`from tws import X` inside the package would go over the top layer and round in a circle."""
    wrong = [
        f"{name}: {found}"
        for name in MODULES
        for found in imports(name, modules()[name])
        if found.module == "tws"
    ]
    assert not wrong, "\n".join(wrong)


def test_the_face_imports_nothing_until_it_is_asked() -> None:
    for node in tree(modules()["tws"]).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            )
            assert not any(name and name.startswith("tws") for name in names), f"line {node.lineno}"


def test_each_exception_is_still_needed() -> None:
    used = {
        (name, package_of(found.module))
        for name in MODULES
        if name != "tws"
        for found in imports(name, modules()[name])
        if package_of(found.module) and not may_import(package_of(name), package_of(found.module))
    }
    assert set(EXCEPTIONS) <= used, f"delete {sorted(set(EXCEPTIONS) - used)}"
    assert all(EXCEPTIONS.values()), "an exception wants its reason"


def test_connection_and_simulator_never_meet_but_in_bytes() -> None:
    """No exception may ever be made to this one: two readings of the protocol must stay two."""
    for one, other in (("connection", "simulator"), ("simulator", "connection"), ("exchange", "positions")):
        for name in MODULES:
            if package_of(name) == one:
                assert other not in {package_of(found.module) for found in imports(name, modules()[name])}, (
                    name
                )


@pytest.mark.parametrize("name", MODULES)
def test_the_official_client_is_known_to_few(name: str) -> None:
    for found in imports(name, modules()[name]):
        root = max((key for key in CLIENT_LIBRARIES if within(found.module, key)), key=len, default="")
        if root:
            allowed = CLIENT_LIBRARIES[root]
            assert any(within(name, home) for home in allowed), (
                f"line {found.line}: {found.module} belongs to {allowed}"
            )


@pytest.mark.parametrize("name", PURE_MODULES)
def test_pure_packages_import_from_the_list(name: str) -> None:
    wrong = []
    for found in imports(name, modules()[name]):
        root = found.module.split(".")[0]
        if root == "tws":
            bad = found.module not in PURE_MAY_STILL_IMPORT and (
                any(within(found.module, module) for module in PURE_MAY_NOT_IMPORT)
                or (found.module, found.name) in PURE_MAY_NOT_NAME
            )
        elif any(within(found.module, key) for key in CLIENT_LIBRARIES):
            continue  # the test above has judged it
        else:
            bad = root not in PURE_MAY_IMPORT and (name, root) not in PURE_MODULE_MAY_IMPORT
        if bad:
            wrong.append(f"line {found.line}: {found.module} {found.name}")
    assert not wrong, "\n".join(wrong)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("desk", "orders", True),
        ("orders", "desk", False),
        ("orders", "positions", False),
        ("orders", "orders", True),
        ("model", "config", True),
        ("config", "model", False),
        ("config", "platform", False),
        ("exchange", "model", True),
        ("exchange", "wire", False),
        ("connection", "simulator", False),
        ("cli", "errors", True),
    ],
)
def test_the_rules_themselves(importer: str, imported: str, allowed: bool) -> None:
    assert may_import(importer, imported) is allowed


def test_imports_are_seen_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import ibapi.client as c\nfrom tws import model\nfrom . import order\nfrom ..wire import codec\n"
        "def f():\n    from tws.risk.gate import Gate\n",
        encoding="utf-8",
    )
    found = [entry.module for entry in imports("tws.orders.module", path)]
    assert found == ["ibapi.client", "tws.model", "tws.orders", "tws.wire.codec", "tws.risk.gate"]
