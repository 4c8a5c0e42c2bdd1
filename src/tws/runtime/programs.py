"""From `[[strategies]] kind = "python"` to strategies: loaded, made, and asked who they are, before a dial.

    settings, programs = load_programs(settings, folder)       # of a file
    settings = with_program(settings, Momentum())              # a program's own, in place of its section

The sections that come back say what the classes leave them to say: name, symbols, and the digest of the file,
so that the configuration's fingerprint (and with it an unlock of a live account) speaks for this very code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from tws.config import Settings
from tws.config.run import TradingSection
from tws.config.section import did_you_mean
from tws.config.strategies import PythonStrategySection, file_digest, load_class, raised_at
from tws.errors import ConfigError
from tws.indicators import Studies
from tws.runtime.stage import StageBounds
from tws.runtime.strategies import Hosted, HostRules
from tws.runtime.strategystate import state_file
from tws.strategy.base import Strategy

__all__ = ["host", "load_programs", "name_of", "with_program"]


def load_programs(
    settings: Settings, folder: Path, own: Strategy | None = None
) -> tuple[Settings, dict[str, Strategy]]:
    """The settings with every Python section filled in, and the strategies by name. `own` is the program's
    own strategy (`with_program`), which is not loaded again.

    Raises ConfigError: file, line, cure.
    """
    programs: dict[str, Strategy] = {}
    sections: list[TradingSection] = []
    for section in settings.strategies:
        if not isinstance(section, PythonStrategySection):
            sections.append(section)
            continue
        if own is not None and (section.class_, section.name) == (type(own).__name__, name_of(own)):
            strategy = own
        else:
            strategy = _made(section, folder)
        filled = _filled(section, strategy, folder)
        assert filled.name is not None
        if filled.name in (*programs, *(each.name for each in settings.signals)):
            raise ConfigError("strategies.name", filled.name, "two strategies or sources have this name",
                              'Give each its own: name = "..."')
        shared = next((name for name in programs if _file_of(name) == _file_of(filled.name)), None)
        if shared is not None:
            raise ConfigError("strategies.name", filled.name, f"would keep its state in the file of {shared}",
                              "Give them names that differ in more than signs and capitals")
        programs[filled.name] = strategy
        sections.append(filled)
    return settings.model_copy(update={"strategies": tuple(sections)}), programs


def with_program(settings: Settings, strategy: Strategy) -> Settings:
    """The settings with a program's own strategy: as the Python section of its class says, or by default."""
    if not isinstance(strategy, Strategy):
        cure = "Give an object of a subclass of tws.Strategy"
        raise ConfigError("strategy", strategy, "is no Strategy", cure)
    kind = type(strategy).__name__
    sections = list(settings.strategies)
    for at, section in enumerate(sections):
        if isinstance(section, PythonStrategySection) and section.class_ == kind:
            strategy.name = section.name or name_of(strategy)
            sections[at] = section.model_copy(update={"name": strategy.name})
            break
    else:
        file = inspect.getsourcefile(type(strategy)) or "<program>"
        said = {"kind": "python", "file": file, "class": kind, "name": name_of(strategy)}
        sections.append(PythonStrategySection.model_validate(said))
    return settings.model_copy(update={"strategies": tuple(sections)})


def _file_of(name: str) -> str:
    """The file of a strategy's state, as systems see it that take capitals and small letters for one."""
    return state_file(Path(), name).name.casefold()


def name_of(strategy: Strategy) -> str:
    """What a strategy is called where no section says otherwise."""
    return strategy.name or type(strategy).__name__.lower()


def host(
    section: PythonStrategySection, strategy: Strategy, folder: Path,
    blocked: Callable[[], float] | None = None,
) -> Hosted:
    """The strategy of a section that was filled in, ready to be opened. `folder`: the trader's own;
    `blocked`: without a thread, see TraderParts.
    """
    bounds = StageBounds(
        max_errors=section.max_errors, error_window_s=section.error_window_s, blocked_s=section.blocked_s
    )
    rules = HostRules(
        name=section.name or "",
        symbols=section.symbols,
        bar_seconds=section.bar_seconds,
        bounds=bounds,
        warm=section.warm_up,
        blocked=blocked,
    )
    return Hosted(strategy, rules, folder)


def _made(section: PythonStrategySection, folder: Path) -> Strategy:
    path = (folder / Path(section.file).expanduser()).resolve()
    kind = load_class(path, section.class_)
    if not issubclass(kind, Strategy):
        cure = f"Begin it with: class {section.class_}(Strategy), from tws import Strategy"
        raise ConfigError("strategies.class", section.class_, f"{path.name}: it is no Strategy", cure)
    try:
        return kind(**section.options)
    except Exception as wrong:
        line = raised_at(wrong, path)
        where = f" ({path.name}, line {line})" if line else ""
        takes = [name for name in inspect.signature(kind).parameters if name not in ("args", "kwargs")]
        unknown = next((name for name in section.options if name not in takes), None)
        cure = f"It is made as {section.class_}({', '.join(takes)})"
        if isinstance(wrong, TypeError) and unknown is not None and takes:
            cure = did_you_mean(unknown, takes)
        reason = f"{section.class_} can't be made{where}: {type(wrong).__name__}: {wrong}"
        raise ConfigError("strategies.options", section.options, reason, cure) from wrong


def _filled(section: PythonStrategySection, strategy: Strategy, folder: Path) -> PythonStrategySection:
    path = folder / Path(section.file).expanduser()
    digest = file_digest(path) if path.is_file() else ""
    if section.sha256 and section.sha256 != digest:
        raise ConfigError("strategies.sha256", section.sha256, f"{path.name} is another file: {digest}",
                          "Look at what has changed in it, then write the new digest, or none")
    symbols = section.symbols or tuple(strategy.symbols)
    if not symbols or isinstance(strategy.symbols, str):
        cure = f'Write symbols = ("SPY",) into the class {section.class_}'
        raise ConfigError("strategies.symbols", strategy.symbols, "names no symbols", cure)
    Studies(strategy.studies)  # says which is none
    name = section.name or name_of(strategy)
    return section.model_copy(update={"name": name, "symbols": symbols, "sha256": digest})
