"""The doctor's page lists the causes that the code can name, word for word."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

from tws.monitor.doctor.causes import CAUSES, finding

PAGE = Path(__file__).parents[2] / "docs" / "design" / "doctor.md"


def test_the_table_of_causes_is_the_codes_own() -> None:
    table = PAGE.read_text(encoding="utf-8").split("<!-- causes -->")[1].split("<!-- end -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{key}` | {'warning' if cause.warns else 'cause'} | {cause.cause} |"
        for key, cause in CAUSES.items()
    ]


def test_every_cause_has_a_cure_and_needs_no_more_than_it_is_given() -> None:
    """Every brace is a plain name, and filled with all of them nothing is left over. That callers give what a
    cause needs is seen where each is played (test_causes.py).
    """
    for key, cause in CAUSES.items():
        names = {name for _, name, _, _ in Formatter().parse(cause.cause + cause.cure) if name is not None}
        assert all(name.isidentifier() for name in names), key
        made = finding(key, "stage", **dict.fromkeys(names, "x"))
        assert made.cause and made.cure and "{" not in made.cause + made.cure


def test_what_a_cause_says_stands_in_a_table_without_breaking_it() -> None:
    assert not [key for key, cause in CAUSES.items() if "|" in cause.cause or "\n" in "".join(cause[:2])]


def test_the_page_names_the_cause_of_each_row_of_the_truth_table() -> None:
    """The rows of TWS-BEHAVIOUR.md A3 to A8 and H: each names keys that exist, and every key but those of our
    own side stands in one.
    """
    table = PAGE.read_text(encoding="utf-8").split("<!-- rows -->")[1].split("<!-- end -->")[0]
    named = set(re.findall(r"`([a-z_0-9]+)`", table))
    assert named <= set(CAUSES)
    ours = {key for key in CAUSES if key.startswith(("package", "protobuf", "configuration", "unexpected"))}
    assert set(CAUSES) - named == ours
