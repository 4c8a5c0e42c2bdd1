"""The doors of the setup guide: the same classes as `tws` has, and help when nothing is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DOORS = {"src.tws_config": "TWSConfig", "src.tws_connection": "TWSConnection"}


def test_the_doors_lead_to_the_same_classes(checkout: Path) -> None:
    """Imported twice, by two names, a class would exist twice and no `isinstance` would hold."""
    script = (
        "from src.tws_config import TWSConfig; from src.tws_connection import TWSConnection\n"
        "import tws.config, tws.connection\n"
        "assert TWSConfig is tws.config.TWSConfig; assert TWSConnection is tws.connection.TWSConnection\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("door", DOORS)
def test_without_an_installed_tws_a_door_says_how_to_install(door: str, checkout: Path) -> None:
    # -S: no site-packages, and so neither the package nor what it needs.
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"from {door} import {DOORS[door]}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "py -m pip install -e ." in done.stderr
    assert "python3 -m pip install -e ." in done.stderr
