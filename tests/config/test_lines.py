"""In which line a setting stands."""

from __future__ import annotations

import pytest

from tws.config.lines import line_of

TEXT = """\
# a trader
[connection]
port = 7400
[risk]
max_positon = 5          # a typo
[risk.symbols."BRK.B"]
max_position = 3
[[signals]]
kind = "file"
[[signals]]
name = "hook"
port = 8765
[[rules]]
name = "dip"
when = '''
confidence >= 0.5
'''
then = "exit"
[[rules]]
then = "exit"
name = "late"   # named behind its action
when = "x"
"""


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("connection.port", 3),
        ("risk.max_positon", 5),
        ("risk.symbols", 6),
        ("signals.0.kind", 9),
        ("signals.1.port", 12),
        ("signals.1.nothing", 10),
        ("signals.port", 12),
        ("signals.kind", 9),
        ("rules.dip.when", 15),
        ("rules.dip", 14),
        ("rules.late.when", 22),
        ("rules.0", 13),
        ("nothing.at.all", 0),
        ("", 0),
    ],
)
def test_the_line_of_a_field(field: str, line: int) -> None:
    assert line_of(TEXT, field) == line


def test_one_source_has_no_number() -> None:
    assert line_of("[signals]\nfile = 1\n", "signals.file") == 2
    assert line_of("signals = []\n[signals.alert]\ntickr = 1\n", "signals.alert.tickr") == 3
