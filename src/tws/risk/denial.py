"""A refusal as a value: it names its limit, the figure that was asked and the bound that stands."""

from __future__ import annotations

from msgspec import Struct

from tws.errors import OrderDeniedError

__all__ = ["Denial"]


class Denial(Struct, frozen=True, kw_only=True):
    """Why an order may not leave. `limit` is the limit's name; figure and bound are text for people."""

    limit: str
    figure: str
    bound: str
    reason: str

    def error(self) -> OrderDeniedError:
        """The same as an exception, for an interface whose caller waits on an answer."""
        return OrderDeniedError(self.limit, self.figure, self.bound, self.reason)

    def __str__(self) -> str:
        return f"{self.limit}: {self.reason} (asked {self.figure}, bound {self.bound})"
