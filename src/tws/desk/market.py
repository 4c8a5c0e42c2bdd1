"""Whether a market order can execute now: by the broker's stated hours, and by his word on a halt.

A flatten cancels the stops before it closes, so it must not begin where its close would wait: overnight the
shares would be without a stop. What is not known counts as open. A stop that can't act because nobody has
stated the hours would be worse; the runtime asks for them as soon as a contract is held or ordered.
"""

from __future__ import annotations

from tws.clock import to_datetime
from tws.desk.commands import StateHours
from tws.desk.turn import Turn
from tws.model.contract import Contract
from tws.model.records import HoursStated
from tws.model.session import session_at

__all__ = ["shut", "state_hours"]


def state_hours(turn: Turn, command: StateHours) -> None:
    """The broker stated the hours of a contract; remembered when they are news."""
    known = turn.state.hours.get(command.con_id)
    if known is None or (known.liquid, known.trading) != (command.liquid, command.trading):
        turn.emit(HoursStated(at_ns=turn.now_ns, con_id=command.con_id, symbol=command.symbol,
                              liquid=command.liquid, trading=command.trading))


def shut(turn: Turn, contract: Contract) -> str:
    """Why no market order executes in `contract` now; empty when one does, as far as is known.

    Regular hours count: a market order outside them is held, or refused (TWS-BEHAVIOUR.md C2). Tick type 49
    above 0 says halted, for news or for volatility (E).
    """
    quote = turn.quotes.get(contract.con_id)
    if quote is not None and quote.halted is not None and quote.halted > 0:
        return f"{contract.symbol} is halted"
    hours = turn.state.hours.get(contract.con_id)
    session = session_at(hours.liquid, turn.now_ns) if hours is not None else None
    if session is None or session.holds(turn.now_ns):
        return ""  # not stated, or stated for days that are past
    opens = to_datetime(session.open_ns)
    return f"the market of {contract.symbol} is closed until {opens:%Y-%m-%d %H:%M} UTC"
