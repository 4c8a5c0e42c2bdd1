"""Settings: where TWS listens, what may be done there, and where these wishes come from.

`TWSConfig` (connection.py) is what a program hands to `TWSConnection`: plain, frozen, checked as it is
made. `Settings` (settings.py) is the whole of a configuration file. It needs pydantic, which is slow to
import, so it is loaded only when somebody asks for it: `import tws.config` stays quick.

    ports.py       the well-known ports, and which of them are live
    connection.py  TWSConfig
    dotenv.py      the reader of .env files, for the shells that users really write
    section.py     what all sections of a file share
    limits.py      the section risk
    paper.py       the section paper
    rules.py       the section rules
    run.py         signals, strategies, run, journal, state: what `tws run` adds
    strategies.py  strategies in Python: their section, and the class in a file
    settings.py    Settings: a whole TOML file, with connection, codes and demo besides
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tws.config.connection import TWSConfig, mask_account
from tws.config.ports import (
    LIVE_PORTS,
    PAPER_PORTS,
    is_live_port,
    is_paper_account,
    is_paper_port,
)

if TYPE_CHECKING:
    from tws.config.settings import (
        CodeSection,
        ConnectionSection,
        DemoSection,
        JournalSection,
        MaintenanceSection,
        OverrideSection,
        PacingSection,
        RiskSection,
        RuleSection,
        RunSection,
        Settings,
        SignalsSection,
        StateSection,
        StrategySection,
        load_settings,
    )

__all__ = [
    "LIVE_PORTS",
    "PAPER_PORTS",
    "CodeSection",
    "ConnectionSection",
    "DemoSection",
    "JournalSection",
    "MaintenanceSection",
    "OverrideSection",
    "PacingSection",
    "RiskSection",
    "RuleSection",
    "RunSection",
    "Settings",
    "SignalsSection",
    "StateSection",
    "StrategySection",
    "TWSConfig",
    "is_live_port",
    "is_paper_account",
    "is_paper_port",
    "load_settings",
    "mask_account",
]

_FROM_SETTINGS = frozenset(
    """
        CodeSection ConnectionSection DemoSection JournalSection MaintenanceSection OverrideSection
        PacingSection RiskSection RuleSection RunSection Settings SignalsSection StateSection StrategySection
        load_settings
    """.split()
)


def __getattr__(name: str) -> Any:
    if name in _FROM_SETTINGS:
        from tws.config import settings

        return getattr(settings, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
