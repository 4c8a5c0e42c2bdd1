"""docs/design/codes.md holds the catalogue of codes; here it is written again and looked for."""

from __future__ import annotations

from pathlib import Path

from tws.wire.codes import CATALOGUE, Code, Context

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "codes.md"


def generated() -> str:
    """The catalogue in Markdown, by number; an empty cell is a question."""
    contexts = " | ".join(Context)
    rows = [f"| code | {contexts} | from | TWS writes |", f"|---|{'---|' * len(Context)}---|---|"]
    rows += [_row(CATALOGUE[number]) for number in sorted(CATALOGUE)]
    return "\n".join(rows)


def _row(code: Code) -> str:
    effects = " | ".join(code.effects.get(context, "") for context in Context)
    text = code.text.replace("\n", " ")
    return f"| {code.code} | {effects} | {code.confidence}: {code.source} | {text} |"


def test_the_page_holds_the_catalogue_as_the_code_has_it() -> None:
    assert generated() in PAGE.read_text(encoding="utf-8"), (
        "print it with: python -m tests.wire.test_codes_page"
    )


if __name__ == "__main__":
    print(generated())
