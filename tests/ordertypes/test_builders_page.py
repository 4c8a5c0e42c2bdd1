"""The page of builders tells what the code has: its tables are written from there.

    python -m tests.ordertypes.test_builders_page    writes the page's tables anew
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

from tws import ordertypes as ot
from tws.ordertypes import algos, changes, combos, conditions, pegged, plain

PAGE = Path(__file__).parents[2] / "docs" / "design" / "builders.md"
SECTIONS: tuple[tuple[str, ModuleType], ...] = (
    ("Orders", plain), ("Orders whose price follows something", pegged),
    ("What an order may be given", changes),
    ("Conditions", conditions), ("Algorithms", algos), ("Combinations", combos),
)  # fmt: skip


def builders() -> str:
    """The tables of builders, as Markdown."""
    lines = []
    for title, module in SECTIONS:
        lines += [f"### {title}", "", "| builder | gives |", "|---|---|"]
        for name in module.__all__:
            builder = getattr(module, name)
            said = (inspect.getdoc(builder) or "").split("\n\n")[0].replace("\n", " ")
            lines.append(f"| `{name}({_words(builder)})` | {said} |")
        lines.append("")
    return "\n".join(lines)


def _words(builder: object) -> str:
    """The names of its parameters; those that may be left out in brackets, common words left out."""
    words = []
    for name, parameter in inspect.signature(builder).parameters.items():  # type: ignore[arg-type]
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            words.append(name if parameter.default is inspect.Parameter.empty else f"[{name}]")
    return ", ".join(words)


def refusals() -> str:
    """The table of refusals, as Markdown."""
    lines = ["| attribute | refused when (its rule) | TWS's code | source | cure |", "|---|---|---|---|---|"]
    lines += [f"| `{rule.attribute}` | {rule.name.replace('_', ' ')} | {rule.code or ''} | {rule.source} | "
              f"{rule.cure} |" for rule in ot.RULES]
    return "\n".join([*lines, ""])


def renewed(text: str) -> str:
    """The page with its tables written anew."""
    for mark, table in (("builders", builders()), ("refusals", refusals())):
        before, rest = text.split(f"<!-- {mark} -->")
        _, after = rest.split(f"<!-- end of {mark} -->")
        text = f"{before}<!-- {mark} -->\n\n{table}\n<!-- end of {mark} -->{after}"
    return text


def test_the_page_tells_what_the_code_has() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "python -m tests.ordertypes.test_builders_page"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
