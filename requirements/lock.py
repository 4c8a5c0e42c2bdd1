"""Make requirements/lock.txt: every package of the base install and of the extras at one exact version.

    make lock            (or: python requirements/lock.py)

pip alone does the work. It resolves in a dry run, whose report names what it would install and why; what
only another system needs (a marker that is false here) is resolved in a second run. The lock is a
*constraints* file: `pip install -c requirements/lock.txt -e .` installs what this platform needs and no
more, so the one file serves Windows, Linux and macOS. It holds no hashes, because a mirror may serve
other builds of the same version.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "lock.txt"
HEAD = """\
# Exact versions for every dependency, base and extras. Constraints: pip install -c requirements/lock.txt -e .
# Made by `make lock` (requirements/lock.py) with pip alone; do not edit.
"""
# A marker that depends on the system, not on the Python: what it hides here, another machine may need.
SYSTEM_MARKER = re.compile(r"sys_platform|platform_system|os_name|platform_python_implementation")


def resolve(pip: list[str], wanted: list[str]) -> dict[str, dict[str, object]]:
    """What pip would install for these requirements into an empty environment, by name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [*pip, "install", "--dry-run", "--ignore-installed", "--quiet", "--report", str(report), *wanted],
            check=True,
        )
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {normal(item["metadata"]["name"]): item["metadata"] for item in found}


def normal(name: str) -> str:
    """A name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hidden_here(packages: dict[str, dict[str, object]]) -> dict[str, str]:
    """Requirements that only another system has: the requirement without its marker, by name."""
    hidden: dict[str, str] = {}
    for metadata in packages.values():
        for line in metadata.get("requires_dist", []):  # type: ignore[attr-defined]
            requirement, _, marker = line.partition(";")
            name = normal(re.split(r"[\s\[(<>=!~]", requirement.strip(), maxsplit=1)[0])
            if name in packages or "extra" in marker or not SYSTEM_MARKER.search(marker):
                continue
            hidden[name] = requirement.strip()
    return hidden


def main() -> None:
    """Resolve and write the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += [line for line in extra if not line.startswith(project["name"])]
    with tempfile.TemporaryDirectory() as folder:
        # A fresh environment, so that nothing that happens to be installed bends the answer.
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        pip = [str(python), "-m", "pip"]
        packages = resolve(pip, wanted)
        for _ in range(3):  # what another system needs may need more in its turn; it has not gone deeper
            extra = hidden_here(packages)
            if not extra:
                break
            pins = [f"{name}=={metadata['version']}" for name, metadata in packages.items()]
            packages |= resolve(pip, [*pins, *extra.values()])
    lines = [f"{name}=={metadata['version']}" for name, metadata in sorted(packages.items())]
    LOCK.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{LOCK.relative_to(ROOT)}: {len(lines)} packages")


if __name__ == "__main__":
    main()
