"""The section `[[strategies]]` with `kind = "python"`, and the class that it names.

    [[strategies]]
    kind = "python"
    file = "my.py"                  # beside the configuration
    class = "Momentum"
    options = { fast = 12 }         # Momentum(fast=12)
    allocation = 10_000             # and the rest as for every strategy (run.py)

`load_class` runs the file as Python imports a module: whoever names a file here trusts it as he trusts a
program of his own. What goes wrong in it is told with its line. Its folder comes last among those in which
modules are looked for, so that it may import what lies beside it and hides nothing of Python's own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field

from tws.config.run import TradingSection
from tws.config.section import Symbol, Words, did_you_mean
from tws.errors import ConfigError

__all__ = ["PythonStrategySection", "file_digest", "is_loading", "load_class", "raised_at"]


class PythonStrategySection(TradingSection):
    """A strategy of the user's own."""

    kind: Literal["python"]
    file: Words = Field(description='Give the path of a Python file, such as "my.py"')
    class_: Words = Field(alias="class", description='Name the class in it, such as "Momentum"')
    name: Words | None = None
    """In journal, limits (`[risk.strategies.NAME]`) and state; unset: the class says it."""
    symbols: tuple[Symbol, ...] = Field(
        default=(), description='Write the symbols, such as ["SPY", "QQQ"], or leave them to the class'
    )
    options: dict[str, Any] = Field(default_factory=dict)
    """What the class is made with, by name."""
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    """Of the file (line ends as on Linux): given, another file is refused. It is part of what an unlock
    speaks for, given or not."""
    max_errors: Annotated[int, Field(ge=1, le=1000)] = 5
    """It is disabled after so many errors within `error_window_s`."""
    error_window_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    blocked_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """It is disabled when one hook takes so long."""


_loading: list[Path] = []


def is_loading() -> Path | None:
    """The file whose class is being loaded: it must not begin to trade by that."""
    return _loading[-1] if _loading else None


def file_digest(path: Path) -> str:
    """The SHA-256 of a text file, whatever its line ends. Raises OSError."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


class _Loader(SourceFileLoader):
    """Reads the text itself: compiled code that Python keeps is known by size and second alone, and may be of
    another text than the digest speaks for.
    """

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def load_class(path: Path, name: str) -> type[Any]:
    """The class of this name in a Python file.

    Raises ConfigError with file, line and cure: no such file, no Python, what it raised, no such class.
    """
    field, cure = "strategies.file", "Correct it there; python FILE shows the same"
    if not path.is_file():
        raise ConfigError(field, str(path), "no such file", "Give its path, relative to the configuration")
    module_name = f"tws_strategy_{path.stem}_{file_digest(path)[:12]}"
    if path.suffix != ".py":
        raise ConfigError(field, str(path), "no Python file by its name", "Give a file that ends in .py")
    spec = importlib.util.spec_from_file_location(module_name, path, loader=_Loader(module_name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[module_name] = module  # dataclasses and pickle look it up there
    _loading.append(path)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as wrong:
        where = f"{Path(wrong.filename or path).name}, line {wrong.lineno}"
        _refuse(module_name, field, where, f"no Python: {wrong.msg}", cure)
    except BaseException as wrong:  # a sys.exit() at the end of a script is none of ours
        where = f"{path.name}, line {raised_at(wrong, path)}"
        _refuse(module_name, field, where, f"{type(wrong).__name__}: {wrong}", cure)
    finally:
        _loading.pop()
    found = getattr(module, name, None)
    if not isinstance(found, type):
        own = [
            each for each, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module_name
        ]
        raise ConfigError("strategies.class", name, f"{path.name} has no such class", did_you_mean(name, own))
    return found


def raised_at(wrong: BaseException, path: Path) -> int:
    """The innermost line of a file at which something was raised; 0 where it was not in that file."""
    frames = traceback.extract_tb(wrong.__traceback__)
    return next((each.lineno or 0 for each in reversed(frames) if Path(each.filename) == path), 0)


def _refuse(module_name: str, field: str, where: str, reason: str, cure: str) -> NoReturn:
    del sys.modules[module_name]
    raise ConfigError(field, where, reason, cure) from None
