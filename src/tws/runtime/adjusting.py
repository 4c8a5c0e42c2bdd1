"""`tws adjust`: a human's word on a position that moved without a fill, checked before the desk hears it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from msgspec import Struct

from tws.desk import Adjust
from tws.errors import ConfigError
from tws.model.instrument import Instrument

__all__ = ["AdjustWish"]


class AdjustWish(Struct, frozen=True, kw_only=True):
    """`quantity` is the signed change in shares, `price` what a share is booked at; `ours` moves our own book
    too.
    """

    symbol: str
    quantity: str
    price: str
    operator: str
    reason: str
    ours: bool = False

    def to_command(self, account: str, instrument: Instrument) -> Adjust:
        """Raises ConfigError for what is no number, and for a missing name or reason."""
        quantity, price = self._number("quantity", self.quantity), self._number("price", self.price)
        if not quantity:
            raise ConfigError(
                "quantity", self.quantity, "moves nothing", "Give the signed change, such as -100"
            )
        if price < 0:
            raise ConfigError("price", self.price, "below zero", "Give what a share is booked at")
        for name in ("operator", "reason"):
            if not getattr(self, name).strip():
                raise ConfigError(name, "", "is missing", f"Give --{name}: it stays in the journal")
        return Adjust(
            account=account,
            instrument=instrument,
            quantity=quantity,
            price=price,
            ours=self.ours,
            operator=self.operator.strip(),
            reason=self.reason.strip(),
        )

    @staticmethod
    def _number(field: str, text: str) -> Decimal:
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise ConfigError(field, text, "is no number", "Write digits, such as 100 or -12.5")
        return number
