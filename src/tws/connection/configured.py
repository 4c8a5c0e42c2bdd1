"""What a configuration file says of a connection beside where TWS listens: its pace, its week, its codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from tws.config import Settings
from tws.connection.keeping.calendar import Maintenance
from tws.connection.pacing import PacingOptions
from tws.errors import ConfigError
from tws.wire.codes import Catalogue
from tws.wire.codes_amend import amended

__all__ = ["Configured", "configured"]


class Configured(Struct, frozen=True, kw_only=True):
    """`[connection.pacing]`, `[connection.maintenance]` (None: not told) and `[codes.N]`."""

    pacing: PacingOptions
    maintenance: Maintenance | None
    catalogue: Catalogue


def configured(settings: Settings) -> Configured:
    """Raises ConfigError for a file whose parts do not fit."""
    section = settings.connection
    paced, planned = section.pacing.chosen(), section.maintenance.chosen()
    with _within("connection.pacing"):
        pacing = PacingOptions(**paced) if paced.pop("paced") else PacingOptions.off()
    with _within("connection.maintenance"):
        maintenance = Maintenance(**planned) if planned else None
    return Configured(pacing=pacing, maintenance=maintenance, catalogue=amended(settings.plain_codes()))


@contextmanager
def _within(section: str) -> Iterator[None]:
    """A complaint names its section, too."""
    try:
        yield
    except ConfigError as wrong:
        raise ConfigError(f"{section}.{wrong.field}", wrong.value, wrong.reason, wrong.cure) from None
