"""docs/design/wire.md holds tables that come from the code; here they are made again and looked for."""

from __future__ import annotations

from pathlib import Path

from tws.wire import thresholds
from tws.wire.layout import Layout
from tws.wire.layouts import ANSWERS, REQUESTS
from tws.wire.session import CLIENT_TABLE, SERVER_TABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "wire.md"


def generated() -> tuple[str, str]:
    """The handshake's tables and the table of messages, in Markdown."""
    steps = ["| side | in state | comes | next |", "|---|---|---|---|"]
    for side, table in (("server", SERVER_TABLE), ("client", CLIENT_TABLE)):
        steps += [f"| {side} | {a.value} | {seen.value} | {b.value} |" for (a, seen), b in table.items()]
    rows = ["| id | direction | message | text changes at | protobuf from |", "|---|---|---|---|---|"]
    for direction, layouts in (("request", REQUESTS), ("answer", ANSWERS)):
        rows += [row(direction, layout) for layout in sorted(layouts, key=lambda layout: layout.id)]
    return "\n".join(steps), "\n".join(rows)


def row(direction: str, layout: Layout) -> str:
    mark = (thresholds.REQUESTS if direction == "request" else thresholds.ANSWERS).get(layout.id, 0)
    changes = ", ".join(str(version) for version in layout.versions() if 157 < version < (mark or 999))
    binary = f"{mark or ''}{'?' * (direction == 'answer' and layout.id in thresholds.ASSUMED)}"
    return f"| {layout.id} | {direction} | `{layout.message.__name__}` | {changes} | {binary} |"


def test_the_page_holds_the_tables_as_the_code_has_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in generated():
        assert table in page, "print them with: python -m tests.wire.test_page"


if __name__ == "__main__":
    print("\n\n".join(generated()))
