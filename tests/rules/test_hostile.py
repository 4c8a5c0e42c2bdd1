"""Texts that want to be more than rules: read by the grammar or refused at once; none is ever run."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tws.config import load_settings
from tws.errors import ConfigError
from tws.rules import parse_actions, parse_condition, parse_rule, parse_rules
from tws.rules.rule import MAX_DEPTH
from tws.rules.tokens import MAX_TEXT

REACHES_OUT = ("exec", "compile", "import", "open", "os.", "subprocess.", "socket.", "ctypes.", "shutil.")
"""What Python tells an audit hook of, and the reading of a rule may never do."""

_watching: list[list[str]] = []
_WATCHED = threading.get_ident()  # other tests' threads reach out as they like


def _hook(event: str, _arguments: Any) -> None:
    if _watching and event.startswith(REACHES_OUT) and threading.get_ident() == _WATCHED:
        _watching[-1].append(event)


sys.addaudithook(_hook)  # stays for the process; it sleeps outside `watched`


@contextmanager
def watched() -> Iterator[list[str]]:
    """All that Python reaches out for meanwhile."""
    seen: list[str] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.pop()


PROGRAMS = [
    "__import__('os').system('touch /tmp/x')",
    '__import__("os").system("touch x")',
    "price.__class__ > 1",
    "().__class__.__bases__[0].__subclasses__()",
    "price.__class__.__mro__ == 1",
    "lambda: price > 1",
    "(lambda x: x)(1) > 0",
    "import os",
    "price > 1; import os",
    'exec("import os")',
    'eval("1") > 0',
    "open(1) > 0",
    'open("/etc/passwd") > 1',
    "globals() > 1",
    "[x for x in price] > 1",
    "{price}",
    "${price}",
    "`price`",
    "%(price)s > 1",
    "price > 1 if price else 2",
    "price := 1",
    "await price > 1",
    "ema(price) > 1",
    "ema(20).__init__ > 1",
    "change(change(1)) > 1",
    'model == "a" + "b"',
    "price > 1 # \n import os",
    "price\0 > 1",
    "yes: !!python/object/apply:os.system [x]",
    "' or 1=1 --",
]

LOOK_ALIKES = [
    "\u0440rice > 1",  # a Cyrillic er
    "\uff50\uff52\uff49\uff43\uff45 > 1",
    "price \uff1e 1",
    "price\u00a0> 1",
    "pri\u200bce > 1",
    "\u202eprice > 1",
    "price > \u0663",
    "price > \uff11",
    "price > \u00b2",
    "time >= \u0660\u0669:\u0664\u0665",
    "price > 1\u0663",
    "ema(\uff12\uff10) > 1",
    "price \u2265 1",
    "price > 1 \u0430nd bid > 1",
    "price \u2212 1 > 0",
    "\u201ca\u201d == model",
]

HUGE = [
    "price > " + "9" * 400,
    "price > " + "9" * 5000,
    "price > 1e309",
    "price > -1e400",
    "price > 1e999999999",
    "quote_age > " + "9" * 306 + "d",
    "change(99999999999999999999) > 0",
    "change(1e300) > 0",
    "change(-1) > 0",
    "ema(99999999999999999999) > 0",
    "ema(1e300) > 0",
    "ema(" + "9" * 5000 + ") > 0",
    "ema(" + ", ".join(["1"] * 5000) + ") > 0",
    "time >= 99:99",
    "time >= 1:2:3:4:5:6",
    "time >= " + ":".join(["00"] * 30_000),
    "model in (" + ", ".join(["a"] * 30_000) + ")",
    "p" * 90_000 + " > 1",
    "a" + ".a" * 40_000 + " > 1",
    'model == "' + "x" * 90_000 + '"',
]

DEEP = [
    "(" * 50_000,
    "(" * (MAX_DEPTH + 1) + "price > 1" + ")" * (MAX_DEPTH + 1),
    "not " * 24_000 + "session.open",
    "not (" * 10_000 + "session.open" + ")" * 10_000,
    "ema(" * 20_000,
    "price > " * 10_000,
    "session.open and " * 5_000 + "session.open",
    "session.open or " * 5_000 + "session.open",
    ("session.open and (" * 5_000) + "session.open" + ")" * 5_000,
]

LONG = ["price > 1 and " * 80_000, "#" + "x" * 1_000_000, " " * 1_000_000, '"' + "x" * 1_000_000]


def short(text: str) -> str:
    return f"{len(text)} {text[:30]!r}"


@pytest.mark.parametrize("text", [*PROGRAMS, *LOOK_ALIKES, *HUGE, *DEEP, *LONG], ids=short)
def test_no_condition_is_run(text: str) -> None:
    """It is refused with a short word that names the place."""
    with watched() as seen, pytest.raises(ConfigError) as caught:
        parse_rule({"name": "r", "when": text, "then": "exit"})
    assert seen == []
    assert caught.value.field.startswith("rules.r")
    assert len(str(caught.value)) < 2_000 and caught.value.cure


ACTIONS = [
    "__import__('os')",
    'alert "x".format',
    'alert "{0.__class__}" + exec',
    'alert "a\\" + exit"',
    'alert "\u202etxe"',
    'alert "a\0b"',
    f'alert "{"x" * 201}"',
    'enable "../../etc/passwd"',
    'enable "a b"',
    "enter long shares 9" + "9" * 400,
    "enter long shares 1e400",
    "enter long shares 1e99",
    "enter long cash NaN",
    "enter long shares \u0663",
    "enter long shares -1",
    "enter long risk 1e9%",
    "enter l\u043eng",
    "cooldown 9999999999999999d",
    "double down at 1e308%",
    "trail 1e308 atr",
    "exit + " * 20_000 + "exit",
    'alert "a" + ' * 5_000 + "exit",
    " + ".join(f'alert "{number}"' for number in range(17)),
    "(" * 50_000,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("text", ACTIONS, ids=short)
def test_no_action_is_run(text: str) -> None:
    with watched() as seen, pytest.raises(ConfigError) as caught:
        parse_rule({"name": "r", "when": "event == timer", "then": text})
    assert seen == []
    assert len(str(caught.value)) < 2_000 and caught.value.cure


def test_text_in_quotes_stays_text() -> None:
    """Whatever it says; nothing fills it in, and nothing runs it."""
    spoken = ("__builtins__.x", "{0.__class__}", "%s %(x)s", "${HOME}", "__import__('os')", "`id`", "{{7}}")
    for words in spoken:
        with watched() as seen:
            (alert,) = parse_actions(f'alert "{words}"')
            condition = parse_condition(f'model == "{words}"')
        assert (alert.text, condition.words, seen) == (words, (words,), [])  # type: ignore[union-attr]


@pytest.mark.parametrize("text", [*PROGRAMS[:8], *LOOK_ALIKES, HUGE[0], DEEP[0], DEEP[2], LONG[0]], ids=short)
def test_a_file_with_such_a_rule_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tws.toml"
    words = json.dumps(text).replace("\\u0000", "0")
    file.write_text(f'[[rules]]\nname = "r"\nwhen = {words}\nthen = "exit"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_rules(each.chosen() for each in load_settings(file).rules)
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 400, 5_000])
def test_tables_within_one_another_have_their_bound(tmp_path: Path, depth: int) -> None:
    file = tmp_path / "tws.toml"
    nested = '{all = ["price > 1", ' * depth + '"bid > 1"' + "]}" * depth
    file.write_text(f'[[rules]]\nname = "r"\nwhen = {nested}\nthen = "exit"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_rules(each.chosen() for each in load_settings(file).rules)
    assert len(str(caught.value)) < 2_000


def test_a_text_may_be_as_long_as_it_says() -> None:
    text = "session.open and session.open #"
    assert parse_condition(text + "x" * (MAX_TEXT - len(text))) == parse_condition(text)
    with pytest.raises(ConfigError, match=f"at most {MAX_TEXT}"):
        parse_condition(text + "x" * (MAX_TEXT - len(text) + 1))
