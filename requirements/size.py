"""Count and weigh what the base install brings: the packages and, from their own records, their files.

    make size            (or: python requirements/size.py)

A test holds the bounds (tests/house/test_install_size.py). Files are counted as they lie on the disk,
compiled ones included; pip and setuptools are no part of it.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution

from packaging.requirements import Requirement

NAME = "tws-trading-framework"


def base_install() -> dict[str, int]:
    """Bytes of each package that a plain install brings, by its name."""
    sizes: dict[str, int] = {}
    waiting = [NAME]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in sizes:
            continue
        package = distribution(name)
        sizes[name] = _weight(package)
        for line in package.requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name)
    return sizes


def _weight(package: Distribution) -> int:
    total = 0
    for file in package.files or []:
        path = package.locate_file(file)
        try:
            total += path.stat().st_size  # type: ignore[attr-defined]
        except OSError:
            continue  # listed but not there: a compiled file that was never made
    return total


if __name__ == "__main__":
    found = base_install()
    for name, size in sorted(found.items(), key=lambda item: -item[1]):
        print(f"{size / 1e6:8.1f} MB  {name}")
    print(f"{sum(found.values()) / 1e6:8.1f} MB  in {len(found)} packages")
