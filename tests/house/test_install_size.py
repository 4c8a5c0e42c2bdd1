"""The base install stays small: under 75 MB and 30 packages, ours included, as installed here."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def load_size() -> ModuleType:
    spec = importlib.util.spec_from_file_location("size", ROOT / "requirements" / "size.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_base_install_is_small() -> None:
    sizes = load_size().base_install()
    assert len(sizes) < 30, sorted(sizes)
    assert 10e6 < sum(sizes.values()) < 75e6, sizes  # less than 10 MB: the records were not read


def test_the_lock_pins_every_package_of_the_base_install() -> None:
    lines = (ROOT / "requirements" / "lock.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if line and not line.startswith("#")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    missing = set(load_size().base_install()) - pinned - {project["name"]}
    assert not missing, "make lock"
