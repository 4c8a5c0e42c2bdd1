"""`check_file`: all that can be said of a configuration without dialling, all of it at once.

The file is read past what is wrong in it (`tws.config.settings.read_settings`); what is left is put to the
parts that judge it when a run starts: the limits, the codes, the rules, the sources with their secrets and
files, the plan of the run. Each complaint is a line with its cure. A secret is told of by the name of its
variable and by where it was found, never by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import SystemClock
from tws.config import Settings
from tws.config.dotenv import read_variables
from tws.config.lines import line_of
from tws.config.run import TradingSection, check_strategies
from tws.config.settings import ReadSettings, read_settings
from tws.connection.configured import configured
from tws.errors import ConfigError, DataError, MissingExtraError
from tws.model.expiry import ending
from tws.preflight.line import Line, Weight, of_error
from tws.preflight.place import look_at_place, traded
from tws.preflight.sense import extras, nonsense
from tws.risk import Limits
from tws.risk.limits import SCOPES
from tws.rules import parse_rules
from tws.rules.tables import parse_rule
from tws.runtime.plan import RunPlan, plan_run
from tws.signals.opening import Surroundings, check_ports, open_sources
from tws.wire.codes_amend import amended

__all__ = ["FileCheck", "check_file", "check_text"]

VARIABLES = ("base_url_env", "key_env", "token_env")
"""The settings that name a variable."""
PORT = "signals.port"
"""What a receiver's port that is taken is told of by."""


class FileCheck(Struct, frozen=True, kw_only=True):
    """What was found; `plan` is None while something in the file keeps a run from being planned, `judged`
    the plan of what is right in it.
    """

    lines: tuple[Line, ...]
    plan: RunPlan | None = None
    judged: RunPlan | None = None


def check_file(
    path: Path, state: Path | None = None, environ: Mapping[str, str] | None = None
) -> FileCheck:
    """Judge a configuration whole, and what its trader has left behind. `state` goes before what the file
    says, `environ` stands in for the process's own. Raises ConfigError for a file that is no TOML.
    """
    found = check_text(path, state, environ)
    lines = list(found.lines)
    if found.judged is not None:
        if all(each.weight is not Weight.BLOCKER for each in lines):
            lines.insert(0, Line(about="file", weight=Weight.OK, text=f"{path}: nothing wrong in it"))
        lines += look_at_place(found.judged)
        for text in ending(found.judged.contracts.values(), SystemClock().now_ns()):
            cure = "Name the next month in [contracts]"
            lines.append(Line(about="contracts", weight=Weight.WARNING, text=text, cure=cure))
    return FileCheck(lines=tuple(lines), plan=found.plan, judged=found.judged)


def check_text(
    path: Path, state: Path | None = None, environ: Mapping[str, str] | None = None
) -> FileCheck:
    """The same without a look at what its trader has left behind: what the file alone says."""
    read = read_settings(path)
    lines = [of_error(each) for each in read.wrong]
    folder = path.resolve().parent
    for found in (
        *_limits(read.settings),
        *_codes(read.settings),
        *_rules(read.settings),
        *_owned_twice(read.settings),
        *_sources(read.settings, folder, environ),
    ):
        _add(lines, found)
    plan = _plan(read, path, state, lines)
    settings = read.settings if plan is None else plan.settings
    lines += nonsense(settings, plan.limits, plan.share) if plan is not None else nonsense(settings, Limits())
    lines += extras(settings)
    lines += _secrets(read.settings, folder, environ)
    if plan is not None and any(each.about == PORT for each in lines) and traded(plan):
        lines = [each for each in lines if each.about != PORT]  # the trader that runs listens there
    text = path.read_text(encoding="utf-8-sig")
    placed = [replace(each, line=each.line or line_of(text, each.about)) for each in lines]
    return FileCheck(lines=tuple(placed), plan=None if read.wrong else plan, judged=plan)


def _plan(read: ReadSettings, path: Path, state: Path | None, lines: list[Line]) -> RunPlan | None:
    """The plan of the run, whose word is the last: what it refuses is a blocker, said before or not."""
    try:
        return plan_run(read.settings, path, state)
    except ConfigError as wrong:
        emptied = any(place.split(".")[0] in ("signals", "strategies", "") for place in read.cut)
        if not (emptied and not read.settings.signals and not read.settings.strategies):
            _add(lines, of_error(wrong))
    except DataError as wrong:
        _add(lines, _of_data(wrong))
    return None


def _add(lines: list[Line], line: Line) -> None:
    """A complaint that is not there yet: two parts may notice the same field and value."""
    if all((each.about, _value(each)) != (line.about, _value(line)) for each in lines):
        lines.append(line)


def _value(line: Line) -> str:
    return line.text.partition(": ")[0]


def _tried(judge: Callable[..., object], *arguments: object) -> Iterator[Line]:
    try:
        judge(*arguments)
    except ConfigError as wrong:
        yield of_error(wrong)
    except DataError as wrong:
        yield _of_data(wrong)
    except MissingExtraError as wrong:
        cure = f"pip install 'tws-trading-framework[{wrong.extra}]'"
        text = f"needs the extra {wrong.extra}"
        yield Line(about=wrong.feature, weight=Weight.BLOCKER, text=text, cure=cure)


def _of_data(wrong: DataError) -> Line:
    where = f"{wrong.path}, line {wrong.line}" if wrong.line else wrong.path
    return Line(about="signals.file", weight=Weight.BLOCKER, text=f"{where}: {wrong.reason}",
                cure="Correct that line")  # fmt: skip


# -- each part by itself


def _limits(settings: Settings) -> Iterator[Line]:
    """Each limit alone, then each override upon those that are sound, then all of them together."""
    chosen = settings.risk.chosen()
    sound: dict[str, Any] = {}
    found = []
    for name, value in chosen.items():
        if name not in SCOPES:
            wrong = list(_tried(Limits.from_section, {name: value}))
            found += wrong
            if not wrong:
                sound[name] = value
    for scope in SCOPES:
        for key, override in chosen.get(scope, {}).items():
            for name, value in override.items():
                found += _tried(Limits.from_section, sound | {scope: {key: {name: value}}})
    yield from found or _tried(Limits.from_section, chosen)


def _codes(settings: Settings) -> Iterator[Line]:
    """Each code alone, then pace and calendar."""
    for number, words in settings.plain_codes().items():
        yield from _tried(amended, {number: words})
    yield from _tried(configured, settings.model_copy(update={"codes": {}}))


def _rules(settings: Settings) -> Iterator[Line]:
    tables = [section.chosen() for section in settings.rules]
    found = [
        line
        for number, table in enumerate(tables, start=1)
        for line in _tried(parse_rule, table, number)
    ]
    yield from found or _tried(parse_rules, tables)


def _owned_twice(settings: Settings) -> Iterator[Line]:
    """One strategy owns a contract: whoever holds shares has to know whose they are."""
    owners = [(_named(section), section.symbols) for section in (*settings.strategies, *settings.signals)]
    for (first, some), (second, others) in combinations(owners, 2):
        for symbol in dict.fromkeys(each for each in some if each in others):
            yield _twice(symbol, f"stands in {first} and in {second}")
    for name, symbols in owners:
        for symbol in dict.fromkeys(each for each in symbols if symbols.count(each) > 1):
            yield _twice(symbol, f"stands twice in {name}")


def _twice(symbol: str, text: str) -> Line:
    cure = f"One strategy owns a contract: take {symbol} out of one of them"
    return Line(about="symbols", weight=Weight.BLOCKER, text=f"{symbol!r}: {text}", cure=cure)


def _named(section: TradingSection) -> str:
    name = getattr(section, "name", None)
    return f"signals {name!r}" if name else f"strategy {getattr(section, 'kind', '')!r}"


def _sources(settings: Settings, folder: Path, environ: Mapping[str, str] | None) -> Iterator[Line]:
    """Each source opened as a run opens it, for its files, addresses and secrets; none of them runs."""
    yield from _tried(check_ports, settings)
    around = Surroundings(clock=SystemClock(), rng=random.Random(0), folder=folder, environ=environ)
    for section in settings.signals:
        alone = settings.model_copy(update={"signals": (section,)})
        found = list(_tried(check_strategies, (section,), (), folder))
        yield from found or _tried(open_sources, alone, around)


def _secrets(settings: Settings, folder: Path, environ: Mapping[str, str] | None) -> Iterator[Line]:
    """Each variable that a source names, and where it was found. Never what it holds."""
    names = [
        getattr(section, setting)
        for section in settings.signals
        for setting in VARIABLES
        if hasattr(section, setting)
    ]
    beside = folder / ".env"
    try:
        found = read_variables(names, environ, beside if beside.is_file() else None) if names else {}
    except ConfigError:
        return  # told of when the source was opened
    for name in dict.fromkeys(names):
        if name in found:
            yield Line(about=name, weight=Weight.OK, text=f"is set, by {found[name].origin}")
