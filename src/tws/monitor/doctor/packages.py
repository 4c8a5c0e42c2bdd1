"""Which ibapi and protobuf would be imported, found without importing them.

IB's own installer and the `ibapi` of PyPI put a package of the same name where ours stands
(`nautilus-ibapi`, the official 10.46 unchanged). Whichever is installed last overwrites files of the other,
and a mixture of two versions fails much later, in the middle of a session. So three things must hold: the
package that would be imported is the one that our distribution installed, no other distribution claims it,
and each of its files still is what was installed (the hash in pip's record).
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, PackagePath, distributions
from pathlib import Path

from msgspec import Struct

from tws.monitor.doctor import causes
from tws.monitor.doctor.report import Finding, PackageSeen

__all__ = ["PackageCheck", "check_packages"]

OURS = "nautilus-ibapi"
OTHERS = ("ibapi",)
"""Names under which other installers put the same package: IB's own, and PyPI's 9.81."""

OLDEST_PROTOBUF = (5, 29, 5)
"""The protobuf that generated the classes in ibapi 10.46.1; an older one refuses to load them."""

_CURE_BY_PIP = "python -m pip uninstall -y ibapi nautilus-ibapi, then python -m pip install --force-reinstall"


class PackageCheck(Struct, frozen=True):
    """Both packages as found, and what is wrong with them."""

    seen: tuple[PackageSeen, ...]
    findings: tuple[Finding, ...]


def check_packages(path: Sequence[str] | None = None) -> PackageCheck:
    """Look at ibapi and protobuf. `path` stands in for sys.path. Blocking: reads hundreds of files."""
    installed = _by_name(distributions() if path is None else distributions(path=list(path)))
    findings = [*_judge_ibapi(_spec("ibapi", path), installed), *_judge_protobuf(installed)]
    seen = (
        _seen("ibapi", _spec("ibapi", path), [d for n in (OURS, *OTHERS) for d in installed.get(n, [])]),
        _seen("protobuf", _spec("google.protobuf", path), installed.get("protobuf", [])),
    )
    return PackageCheck(seen, tuple(findings))


def _judge_ibapi(spec: ModuleSpec | None, installed: dict[str, list[Distribution]]) -> Iterator[Finding]:
    ours = installed.get(OURS, [])
    others = [dist for name in OTHERS for dist in installed.get(name, [])]
    if spec is None and not ours:
        yield causes.finding("package_missing", "packages", name="ibapi", wanted=OURS)
        return
    if others:
        names = ", ".join(_label(dist) for dist in [*others, *ours])
        yield causes.finding("packages_mixed", "packages", names=names, cure=_CURE_BY_PIP)
        return
    if not ours:
        yield causes.finding("package_foreign", "packages", origin=_origin(spec), cure=_CURE_BY_PIP)
        return
    own = Path(str(ours[0].locate_file("ibapi/__init__.py")))
    if spec is None or spec.origin is None or not own.exists():
        yield causes.finding("package_broken", "packages", what=f"{own} is missing", cure=_CURE_BY_PIP)
    elif not _same_file(Path(spec.origin), own):
        yield causes.finding("package_shadowed", "packages", origin=spec.origin, own=str(own))
    else:
        changed = next(_changed_files(ours[0]), None)
        if changed is not None:
            what = f"{changed} is not the file that was installed"
            yield causes.finding("package_broken", "packages", what=what, cure=_CURE_BY_PIP)


def _judge_protobuf(installed: dict[str, list[Distribution]]) -> Iterator[Finding]:
    found = installed.get("protobuf", [])
    if not found:
        yield causes.finding("package_missing", "packages", name="protobuf", wanted="protobuf")
    elif _numbers(found[0].version) < OLDEST_PROTOBUF:
        wanted = ".".join(map(str, OLDEST_PROTOBUF))
        yield causes.finding("protobuf_old", "packages", version=found[0].version, wanted=wanted)


def _changed_files(dist: Distribution) -> Iterator[PackagePath]:
    """Python files of the distribution that are gone or differ from pip's record."""
    for file in dist.files or []:
        if file.suffix != ".py" or file.hash is None:
            continue
        try:
            digest = hashlib.new(file.hash.mode, file.read_binary()).digest()
        except (OSError, ValueError):
            yield file
            continue
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii") != file.hash.value:
            yield file


def _by_name(found: Iterable[Distribution]) -> dict[str, list[Distribution]]:
    """Distributions by normalised name, each folder once, in the order of the path."""
    grouped: dict[str, dict[str, Distribution]] = {}
    for dist in found:
        name = dist.metadata["Name"]  # None for a folder whose metadata is half gone
        if name:
            key = re.sub(r"[-_.]+", "-", name).lower()
            grouped.setdefault(key, {}).setdefault(str(dist.locate_file("")), dist)
    return {name: list(by_folder.values()) for name, by_folder in grouped.items()}


def _spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    try:
        if path is None:
            return importlib.util.find_spec(name)
        spec = None
        where: Sequence[str] | None = path
        for depth in range(1, name.count(".") + 2):
            spec = PathFinder.find_spec(".".join(name.split(".")[:depth]), list(where or ()))
            where = None if spec is None else spec.submodule_search_locations
        return spec
    except (ImportError, ValueError):  # a parent is missing, or a half-loaded module has no spec
        return None


def _seen(name: str, spec: ModuleSpec | None, dists: list[Distribution]) -> PackageSeen:
    return PackageSeen(
        name=name,
        version=dists[0].version if len(dists) == 1 else _version_in(spec),
        origin=_origin(spec),
        distributions=tuple(_label(dist) for dist in dists),
    )


def _version_in(spec: ModuleSpec | None) -> str:
    """The version that the file itself states, where the distributions do not tell."""
    if spec is None or spec.origin is None:
        return ""
    try:
        text = Path(spec.origin).read_text(encoding="utf-8", errors="replace")[:4096]
    except OSError:
        return ""
    parts = re.search(r'"major"\s*:\s*(\d+).*?"minor"\s*:\s*(\d+).*?"micro"\s*:\s*(\d+)', text, re.DOTALL)
    return ".".join(parts.groups()) if parts else ""


def _origin(spec: ModuleSpec | None) -> str:
    if spec is None:
        return ""
    return spec.origin or "a folder without __init__.py"


def _label(dist: Distribution) -> str:
    return f"{dist.metadata['Name']} {dist.version}"


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
