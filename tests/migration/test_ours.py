"""Our dialect of the scripts of `examples/moving`, each against its scene; and the judge itself.

ib_async's dialect needs PyPI and is played by `make migration`, as are the scenes that take many seconds.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from tests.migration import names, table
from tests.migration.scenes import DIALECTS, SCENES, SCRIPTS, Scene, always
from tests.migration.stage import Ended, perform

from tws import TWSConnection

SLOW = {"24_mute_socket", "25_nightly_reset", "26_data_lost"}  # 16 to 30 s each: `make migration` has them
MAX_LINES = 40


@pytest.mark.parametrize("scene", [one for one in SCENES if one.name not in SLOW], ids=lambda one: one.name)
async def test_our_script_says_what_the_broker_knows(scene: Scene) -> None:
    ended = await perform(scene, [sys.executable, str(scene.script("ours"))])
    assert ended.is_right, f"{ended.said!r} instead of {ended.truth!r}\n" + "\n".join(ended.err)


async def test_a_script_that_lies_is_found_out(tmp_path: Path) -> None:
    liar = tmp_path / "liar.py"
    liar.write_text("print('Filled, 100 shares filled')")
    scene = next(one for one in SCENES if one.name == "22_fill_while_lost")
    ended = await perform(scene, [sys.executable, str(liar)])
    assert not ended.is_right
    assert ended.truth == "working, 0 shares filled"


async def test_a_script_that_never_ends_is_ended(tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time\nprint('so far')\ntime.sleep(1000)")
    ended = await perform(Scene("", always("so far"), bound_s=1.0), [sys.executable, str(sleeper)])
    assert (ended.code, ended.said, ended.is_right) == (None, "so far", False)
    assert "never ends" in table._words(ended, True)


def test_a_refusal_must_be_an_exception_that_names_the_code() -> None:
    truth = always("an exception with the code 200")(None)  # type: ignore[arg-type]
    assert Ended(1, [], ["NoContractError: TWS error 200: No security"], truth, 0.0).is_right
    assert not Ended(0, ["an exception with the code 200"], [], truth, 0.0).is_right
    assert not Ended(1, [], ["ZeroDivisionError: division by zero"], truth, 0.0).is_right


def test_what_differs_from_run_to_run_is_left_out() -> None:
    line = "2026-01-05T15:00:00.123Z [warning] lost 127.0.0.1:40404 at 228.13, order 1539610001"
    assert table.masked(line) == "[warning] lost TWS at …, order …"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_scene_has_its_script_and_no_script_is_left_over(dialect: str) -> None:
    assert sorted(path.stem for path in (SCRIPTS / dialect).glob("*.py")) == sorted(s.name for s in SCENES)


@pytest.mark.parametrize(
    "path", sorted(SCRIPTS.glob("*/*.py")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_script_is_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES


def test_both_dialects_say_that_they_do_the_same() -> None:
    for scene in SCENES:
        opening = [scene.script(dialect).read_text("utf-8").split('"""')[1] for dialect in DIALECTS]
        assert opening[0] == opening[1], scene.name


def test_our_names_in_the_table_exist() -> None:
    text = " ".join(row.ours + " " + row.note for rows in names.FAMILIES.values() for row in rows)
    missing = [name for name in names.OURS.findall(text) if not hasattr(TWSConnection, name)]
    assert not missing


def test_the_page_has_the_table_of_names_and_its_links_lead_somewhere() -> None:
    page = table.PAGE.read_text("utf-8")
    assert table.replaced(page, "names", names.render()) == page, "`make migration` writes it anew"
    for link in re.findall(r"\]\((?!http)([^)#]+)", page):
        assert (table.PAGE.parent / link).exists(), link
