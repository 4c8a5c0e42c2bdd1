"""The list of the examples is the folder's own, in the words of the files. After a change:

    python -m tests.examples.test_readme        writes the table anew
"""

from __future__ import annotations

import re

from tests.examples.reading import EXAMPLES, Example, all_examples

README = EXAMPLES / "README.md"


def row(example: Example) -> str:
    name = example.path.name
    return f"| {example.number} | [{name}]({name}) | {example.title} | `{example.commands[-1]}` |"


def rows() -> list[str]:
    return [row(each) for each in all_examples()]


def test_the_list_is_the_folder() -> None:
    listed = [line for line in README.read_text("utf-8").splitlines() if re.match(r"\| \d\d ", line)]
    assert listed == rows()


def test_no_number_is_given_twice() -> None:
    numbers = [int(each.number) for each in all_examples()]
    assert numbers == sorted(set(numbers))


if __name__ == "__main__":
    text = README.read_text("utf-8")
    first, _, rest = re.sub(r"(\| \d\d .*\n)+|TABLE\n", "TABLE\n", text).partition("TABLE\n")
    README.write_text(first + "".join(f"{each}\n" for each in rows()) + rest, "utf-8")
