"""The doctor's page lists the causes that the code can name, word for word."""

from __future__ import annotations

from pathlib import Path

from tws.monitor.doctor.causes import CAUSES, finding

PAGE = Path(__file__).parents[2] / "docs" / "design" / "doctor.md"


def test_the_table_of_causes_is_the_codes_own() -> None:
    table = PAGE.read_text(encoding="utf-8").split("<!-- causes -->")[1].split("<!-- end -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{key}` | {cause.cause} |" for key, cause in CAUSES.items()]


def test_every_cause_has_a_cure_and_needs_no_more_than_it_is_given() -> None:
    """A fact that is missing raises KeyError: each cause is filled with all that any caller gives."""
    names = (
        "host port owner detail elsewhere client_id suggestion text cure port_mode mode own name wanted "
        "names origin what version login accounts account"
    ).split()
    for key in CAUSES:
        made = finding(key, "stage", **dict.fromkeys(names, "x"))
        assert made.cause and made.cure and "{" not in made.cause + made.cure
