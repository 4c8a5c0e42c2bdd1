"""The page of order types tells what the code's tables tell: its tables are written from them.

    python -m tests.exchange.test_types_page    writes the page's tables anew
"""

from __future__ import annotations

from pathlib import Path

from tws.exchange.kinds import KINDS, TIFS, Anchor, OrderKind, TifRule

PAGE = Path(__file__).parents[2] / "docs" / "design" / "order-types.md"
BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


def tables() -> str:
    """The tables, as Markdown."""
    types = ["| type | how it is worked | rests on |", "|---|---|---|"]
    types += [f"| `{kind.text}` | {_told(kind)} | {kind.rests_on} |" for kind in KINDS.values()]
    tifs = ["| time in force | how it is worked | rests on |", "|---|---|---|"]
    tifs += [f"| `{rule.text}` | {_ruled(rule)} | {rule.rests_on} |" for rule in TIFS.values()]
    return "\n".join([*types, "", *tifs, ""])


def _told(kind: OrderKind) -> str:
    parts = []
    if kind.waits:
        what = "is touched" if kind.touch else "is reached"
        parts.append(f"waits until its {'trailing ' if kind.trails else ''}price {what}")
    if kind.at_close:
        parts.append("in the closing auction")
    if kind.anchor is Anchor.STATED:
        parts.append("at its limit" if kind.limit else "at the market")
        return ", ".join([*parts, *_legs(kind)])
    offset = {1: ", its offset more aggressive", 0: "", -1: ", its offset less aggressive"}[kind.offset]
    parts.append(f"at {kind.anchor}{offset}")
    if kind.ratchets:
        parts.append("follows it to the more aggressive side, without an offset to both")
    else:
        parts.append("follows it" if kind.follows else "taken once")
    if kind.caps:
        parts.append("a limit price being the worst")
    return ", ".join([*parts, *_legs(kind)])


def _legs(kind: OrderKind) -> list[str]:
    return ["the legs that are left then at the market"] if kind.legs_follow else []


def _ruled(rule: TifRule) -> str:
    parts = []
    if rule.at_once:
        parts.append("whole on arrival, or cancelled" if rule.whole else "the rest is cancelled on arrival")
    elif rule.minutes:
        parts.append(f"for {rule.minutes} minutes")
    elif rule.until:
        parts.append("until goodTillDate")
    elif rule.at_open:
        parts.append("in the next opening auction")
        if rule.stays:
            parts.append("what that leaves until the end of the session, at its limit or the auction's price")
    elif rule.ends_with_session:
        parts.append("until the end of the session in which it can trade")
    else:
        parts.append("until cancelled")
    if rule.outside:
        parts.append("outside regular hours too")
    return ", ".join(parts)


def renewed(text: str) -> str:
    """The page with its tables written anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{rest.split(END)[1]}"


def test_the_page_shows_the_tables_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == renewed(text), "run python -m tests.exchange.test_types_page"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
