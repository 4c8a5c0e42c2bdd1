"""`tws orders` and `tws positions`: the books as the journal makes them; read only, the trader may run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tws.cli.console import make_console, print_json
from tws.cli.journals import JournalOption, find_journal, read_books
from tws.cli.traders import State, Trader

if TYPE_CHECKING:
    from tws.desk import DeskState
    from tws.journal import Recovered
    from tws.model.facts import BrokerOrder
    from tws.model.order import Order
    from tws.orders import OurOrder

__all__ = ["orders", "positions"]

_ZERO = Decimal(0)


def orders(
    journal: JournalOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    trader: Trader = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="The orders as JSON.")] = False,
) -> None:
    """List our orders as the journal has them, and those of others that were seen on the account.

    Shown are the orders that may still act, and ended ones of which the broker claims fills that have not
    been told. The journal's word is as old as its last record: a trader that runs may know more by now.

    \b
    tws orders                                those that may act
    tws orders --all --trader 7497-1          all that one trader ever placed
    tws orders --journal day.sqlite3 --json
    """
    path = find_journal(journal, trader, state)
    desk, recovered = read_books(path)
    chosen = _all_orders(desk.state) if everything else list(desk.state.book.exposed())
    rows = [_order_row(order) for order in chosen]
    others = [_foreign_row(seen.order) for seen in desk.state.foreign.values()]
    if as_json:
        print_json({**_source(path, recovered), "orders": rows, "others": others})
        return
    columns = ("intent", "id", "symbol", "role", "side", "quantity", "type", "price", "state", "filled")
    _draw(columns, rows, "no order of ours" if everything else "no order of ours may act")
    if others:
        typer.echo("\nOrders of others on the account (never touched):")
        _draw(("id", "perm", "symbol", "side", "quantity", "type", "price", "state"), others, "")
    _tell_source(path, recovered)


def positions(
    journal: JournalOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are flat, too.")] = False,
    trader: Trader = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="The positions as JSON.")] = False,
) -> None:
    """List positions as the journal has them: ours, the account's, and what the broker last stated.

    Ours is what fills of our own orders made; the account's holds all the rest too, which is the others'.
    `differs` marks a position of which the broker stated another quantity than the account's book makes.

    \b
    tws positions                             what is held
    tws positions --all --json                everything ever held, with openings and con_ids
    tws positions --journal day.sqlite3       by a journal of your own
    """
    path = find_journal(journal, trader, state)
    desk, recovered = read_books(path)
    rows = [row for row in _position_rows(desk.state) if everything or row["open"]]
    if as_json:
        print_json({**_source(path, recovered), "positions": rows})
        return
    columns = ("symbol", "con_id", "ours", "price", "realized", "fees", "net", "others", "account's",
               "broker's", "differs")
    _draw(columns, rows, "nothing is held")
    _tell_source(path, recovered)


def _all_orders(state: DeskState) -> list[OurOrder]:
    """Those that ended long ago and are packed away come first."""
    packed = [order for key in state.shelf.bundles for order in state.shelf.look(key).orders]
    return [*packed, *state.book.orders.values()]


def _order_row(order: OurOrder) -> dict[str, Any]:
    wish = order.order
    return {
        "intent": order.intent_id, "id": order.order_id, "perms": list(order.perms), "trade": order.group_id,
        "symbol": order.contract.symbol, "con_id": order.contract.con_id, "role": str(order.role),
        "side": str(wish.side), "quantity": _text(wish.quantity), "type": str(wish.order_type),
        "price": _prices(wish.stop_price, wish.limit_price) + _moves(wish), "state": str(order.state),
        "filled": _text(order.filled), "claimed": _text(order.claimed), "cause": order.cause,
    }  # fmt: skip


def _foreign_row(order: Any) -> dict[str, Any]:
    return {
        "id": order.order_id, "perm": order.perm_id, "symbol": order.contract.symbol, "side": order.side,
        "quantity": _text(order.quantity), "type": order.order_type,
        "price": _prices(order.stop_price, order.limit_price) + _moves(order), "state": order.status,
    }  # fmt: skip


def _position_rows(state: DeskState) -> list[dict[str, Any]]:
    keys = {**state.ours.holdings, **state.account_book.holdings, **state.stated}
    return [_position_row(state, key) for key in keys]


def _position_row(state: DeskState, key: str) -> dict[str, Any]:
    ours, account = state.ours.holdings.get(key), state.account_book.holdings.get(key)
    from tws.desk.standing import opening_of
    from tws.runtime.adjusting import described

    stated = state.stated.get(key)
    contract = next(each.contract for each in (ours, account, stated) if each is not None)
    quantities = [each.quantity for each in (ours, account, stated) if each is not None]
    held, booked = ours.quantity if ours else _ZERO, account.quantity if account else _ZERO
    return {
        "account": key.partition("/")[0], "symbol": described(contract), "con_id": contract.con_id,
        "currency": contract.currency, "open": any(quantities),
        "ours": _text(held), "others": _text(booked - held),
        "missing": _text(state.shortfall.get(key, _ZERO)),
        "opening": _text(opening_of(account)) if account else "0",
        "confirmed": key.partition("/")[0] in state.confirmed,
        "price": _text(round(ours.average_price, 6)) if ours and ours.quantity else "",
        "realized": _text(ours.realized_pnl) if ours else "0",
        "fees": _text(ours.fees) if ours else "0",
        "net": _text(state.ours.net_pnl(ours)) if ours else "0",
        "account's": _text(booked),
        "broker's": _text(stated.quantity) if stated else "", "differs": key in state.differs,
    }  # fmt: skip


def _draw(columns: tuple[str, ...], rows: list[dict[str, Any]], nothing: str) -> None:
    from rich.table import Table

    if not rows:
        typer.echo(nothing)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    make_console().print(table)


def _cell(value: Any) -> str:
    return ("yes" if value else "") if isinstance(value, bool) else str(value)


def _source(path: Path, recovered: Recovered) -> dict[str, Any]:
    return {"journal": str(path), "records": recovered.rows, "head": str(recovered.head)}


def _tell_source(path: Path, recovered: Recovered) -> None:
    typer.echo(f"\n{path}: {recovered.rows} records, head {recovered.head}")


def _prices(*prices: Decimal | None) -> str:
    return " ".join(_text(price) for price in prices if price is not None)


def _moves(order: Order | BrokerOrder) -> str:
    """How the broker moves its stop: by so much behind the market, or to one price at another."""
    if order.trail is not None or order.trail_percent is not None:
        unit = "" if order.trail_percent is None else "%"
        return f" ~{_text(order.trail or order.trail_percent or _ZERO)}{unit}"
    if order.trigger_price is not None and order.adjusted_stop_price is not None:
        return f" >{_text(order.adjusted_stop_price)}@{_text(order.trigger_price)}"
    return ""


def _text(value: Decimal) -> str:
    """One spelling for each value, without an exponent."""
    return f"{value.normalize():f}" if value else "0"
