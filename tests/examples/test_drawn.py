"""What the examples say twice is the same: their list in README.md, and the configuration of `tws init`.

    python -m tests.examples.test_drawn        draws both anew
"""

from __future__ import annotations

import re

from tests.examples.reading import EXAMPLES, Example, all_examples

from tws.preflight.scaffold import Answers, scaffold

README = EXAMPLES / "README.md"
FIRST_BOT = EXAMPLES / "04_first_bot.toml"


def row(example: Example) -> str:
    name = example.path.name
    return f"| {example.number} | [{name}]({name}) | {example.title} | `{example.own}` |"


def rows() -> list[str]:
    return [row(each) for each in all_examples()]


def first_bot() -> str:
    """What `tws init` writes for signals of a file, with this example's own client id and file."""
    written = scaffold(Answers(source="file"), 0)["tws.toml"]
    return written.replace("client_id = 1\n", "client_id = 4\n").replace('"signals.', '"04_signals.')


def test_the_list_is_the_folder() -> None:
    listed = [line for line in README.read_text("utf-8").splitlines() if re.match(r"\| \d\d ", line)]
    assert listed == rows(), "run this file to draw it anew"


def test_no_number_is_given_twice() -> None:
    numbers = [int(each.number) for each in all_examples()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_first_bot_is_what_init_writes() -> None:
    assert FIRST_BOT.read_text("utf-8") == first_bot(), "run this file to draw it anew"


if __name__ == "__main__":
    text = README.read_text("utf-8")
    first, _, rest = re.sub(r"(\| \d\d .*\n)+", "TABLE\n", text).partition("TABLE\n")
    README.write_text(first + "".join(f"{each}\n" for each in rows()) + rest, "utf-8", newline="\n")
    FIRST_BOT.write_text(first_bot(), "utf-8", newline="\n")
