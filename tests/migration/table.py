"""What each client's user saw, as the generated parts of docs/moving-from-ib_async.md.

The words are the scripts' own: the last line of one that ended well, the exception of another. Prices, times
and ids are left out, so that the same behaviour gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.migration import names
from tests.migration.scenes import DIALECTS, REFUSED, SCENES, Scene
from tests.migration.stage import Ended

__all__ = ["PAGE", "Seen", "spoken", "written"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "moving-from-ib_async.md"
Seen = Mapping[tuple[str, str], Ended]
"""By scene and dialect."""

LOG_LINES = 3
"""Beyond so many different lines of log a reader learns nothing more."""
LOG_SIGNS = 90
_FRAMES = ("Traceback", "During handling", "The above exception")
_MASKS = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.,]+(Z|[+-]\d\d:\d\d)?\s*"), ""),
    (re.compile(r"127\.0\.0\.1:\d+"), "TWS"),
    (re.compile(r"\d+\.\d+|\b\d{6,}\b"), "…"),
    (re.compile(r"reqId \d+"), "reqId …"),
)


def written(page: str, seen: Seen, *, keep_varying: bool = False) -> str:
    """The page with its generated parts made anew, but with `keep_varying` not the scenes that vary."""
    kept = {scene.name for scene in SCENES if scene.varies and keep_varying}
    old = {name: line for line in page.splitlines() for name in kept if f"/{name}.py" in line}
    parts = {"names": names.render(), "everyday": _rows(seen, old, False), "trouble": _rows(seen, old, True)}
    for name, text in parts.items():
        page = replaced(page, name, text)
    return page


def replaced(page: str, name: str, text: str) -> str:
    """The page with this text between the marks of that part. Raises ValueError without them."""
    begin, end = f"<!-- generated: {name} -->\n", f"\n<!-- end: {name} -->"
    head, found, rest = page.partition(begin)
    if not found or end not in rest:
        raise ValueError(f"{PAGE.name} has no part {name!r}: write {begin.strip()} and {end.strip()}")
    return head + begin + text + rest[rest.index(end) :]


def _rows(seen: Seen, old: Mapping[str, str], trouble: bool) -> str:
    """The table of the scripts in trouble, or of the others; `old` has rows that stay as they are."""
    told = " tells its user" if trouble else ""
    lines = [f"| script | | ib_async 2.1.0{told} | ours{told} |", "|---|---|---|---|"]
    for scene in SCENES:
        if scene.is_trouble is trouble:
            cells = (_words(seen[scene.name, dialect], trouble) for dialect in DIALECTS)
            lines.append(old.get(scene.name) or f"| {_links(scene)} | {scene.about} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _links(scene: Scene) -> str:
    number = scene.name.partition("_")[0]
    theirs, ours = (f"../examples/moving/{dialect}/{scene.name}.py" for dialect in DIALECTS)
    return f"{number} [theirs]({theirs}) [ours]({ours})"


def _words(ended: Ended, at_length: bool) -> str:
    """The verdict, the user's last words, and what stood in the log; only the verdict when all is well."""
    if ended.is_right and not at_length:
        return "✓"
    said = _code(ended.said) if ended.said else "nothing"
    if ended.code is None:
        text = f"✗ never ends; its last word: {said}"
    elif ended.is_right:
        text = f"✓ {said}"
    elif ended.code:
        text = f"✗ ends with {said}"
    else:
        text = f"✗ {said}; true was: {_code(ended.truth)}"
    log = spoken(ended)
    return text + (f"<br>log: {'; '.join(f'`{line}`' for line in log)}" if log else "")


def _code(line: str) -> str:
    return line if line.startswith(REFUSED) else f"`{masked(line)}`"


def spoken(ended: Ended) -> list[str]:
    """The different lines of its log, without tracebacks and without the exception that ended it."""
    lines = ended.err[:-1] if ended.code else ended.err
    found: list[str] = []
    for line in lines:
        text = masked(line)
        text = text if len(text) <= LOG_SIGNS else text[:LOG_SIGNS].rstrip() + "…"
        if not line.startswith((" ", *_FRAMES)) and text not in found and len(found) < LOG_LINES:
            found.append(text)
    return found


def masked(line: str) -> str:
    """Without what differs from run to run, and fit for a cell of a table."""
    for pattern, stand_in in _MASKS:
        line = pattern.sub(stand_in, line)
    return line.replace("|", "\\|").replace("`", "'").strip()
