"""The promised face: at most forty names, each loaded when it is asked for, and none before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tws


def test_there_are_at_most_forty_names() -> None:
    assert len(set(tws.__all__)) == len(tws.__all__) <= 40


@pytest.mark.parametrize("name", tws.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(tws, name).__name__ == name
    assert name in dir(tws)


def test_a_star_import_gives_them_all() -> None:
    namespace: dict[str, object] = {}
    exec("from tws import *", namespace)
    assert set(tws.__all__) <= set(namespace)


def test_another_name_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = tws.nonsense  # type: ignore[attr-defined]
    assert not hasattr(tws, "Nothing")


def test_importing_tws_loads_nothing_else() -> None:
    script = "import sys, tws; sys.exit(', '.join(n for n in sys.modules if n.startswith('tws.')) or 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
