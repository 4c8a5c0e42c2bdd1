"""What an indicator remembers, out of it as plain values and into a twin of it: for a strategy that restarts.

A class names in `KEPT` what changes with its updates. `save` gives that as numbers, texts, lists and dicts,
which JSON and MessagePack carry without loss; `restore` puts it into an indicator that was made with the
same parameters, which then answers to the bit as the first one would have. The types that a class states
are held against what comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_type_hints

import msgspec

__all__ = ["Kept"]


class Kept:
    """Something with a state. `restore` raises ValueError for a state that is not of its kind; what it was
    called on is then of no use any more.
    """

    __slots__ = ()
    KEPT: ClassVar[tuple[str, ...]] = ()

    def save(self) -> dict[str, Any]:
        """The state as plain values."""
        return {name.lstrip("_"): _plain(getattr(self, name)) for name in self.KEPT}

    def restore(self, state: Any) -> None:
        """Goes on where `state` was saved."""
        expected = {name.lstrip("_") for name in self.KEPT}
        if not isinstance(state, Mapping) or set(state) != expected:
            raise ValueError(f"no state of {type(self).__name__}: it has {', '.join(sorted(expected))}")
        hints = get_type_hints(type(self))
        for name in self.KEPT:
            value, now = state[name.lstrip("_")], getattr(self, name)
            if isinstance(now, Kept) and value is not None:
                now.restore(value)
            elif isinstance(now, Kept) or name not in hints:
                if value is not None:
                    raise ValueError(f"{type(self).__name__} has begun already: restore into a new one")
                setattr(self, name, None)  # a part that is needed at the beginning alone
            else:
                setattr(self, name, _typed(value, hints[name], type(self)))


def _plain(value: object) -> Any:
    return value.save() if isinstance(value, Kept) else msgspec.to_builtins(value)


def _typed(value: object, hint: Any, owner: type) -> Any:
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise ValueError(f"no state of {owner.__name__}: {error}") from None
