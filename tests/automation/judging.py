"""What a run over recorded days has promised, held against the wire, the journal and the broker's books.

Each check answers complaints in words. The signals are reckoned once more from what came over HTTP; the
money from the exchange's executions, ledger and cash, which share no code with our books.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any, NamedTuple

from tests.automation.watch import Watch
from tests.world.money import cash_of

from tws.clock import NS_PER_S
from tws.demo.reconcile import reconcile
from tws.desk import Timing
from tws.model.order import Role
from tws.model.records import FlattenMoved, FlattenPhase, Intended, Planned, Record
from tws.model.signalrecords import SignalJudged, SignalsUnwritten
from tws.runtime.report import RunReport
from tws.runtime.run import Run
from tws.simulator import SimulatedTWS
from tws.strategy.fates import Fate, Outcome

__all__ = ["Played", "judge"]

HALF_A_CENT = Decimal("0.005")
OF_ALL_DAYS = ("executions", "shares traded", "commissions", "positions", "orders still open")
"""What can be compared after several days: the ledger's profit is the day's, our old orders are packed."""


class Played(NamedTuple):
    """A run that is over, and all that was seen of it from without."""

    sim: SimulatedTWS
    run: Run
    report: RunReport
    records: list[Record]
    heard: list[tuple[str, Any]]
    """Ticker and body of each answer of the API, as it came over the wire."""
    watch: Watch
    opening: Decimal


def judge(played: Played) -> list[str]:
    """All complaints."""
    sim, run, report, records, heard, watch, opening = played
    assert run.pilot is not None
    fates = list(reversed(run.pilot.book.fates()))
    state = run.trader.desk.state
    found = [] if report.good else [f"the report is not good: {report}"]
    found += _signals(heard, fates, report)
    found += _written(fates, records)
    found += _acted(fates, records, sim)
    found += _guarded(watch, report)
    found += _closed(watch, records)
    found += _money(sim, run, report, watch, opening)
    return found + [f"{each.what}: {each}" for each in reconcile(sim, state, records)
                    if each.what in OF_ALL_DAYS and not each.exact]  # fmt: skip


def _signals(heard: list[tuple[str, Any]], fates: list[Fate], report: RunReport) -> list[str]:
    """Each prediction that came over the wire has one row, in its order, and the row has an end."""
    wrong = []
    sent: dict[str, list[str]] = {}
    last: dict[str, tuple[str, str]] = {}
    unsure = 0
    for ticker, answer in heard:
        said = answer["data"]
        prediction = said["prediction"]
        if said["ticker"] != ticker or prediction["ticker"] != ticker or "horizon" in prediction:
            continue  # of another ticker, or of a shape that nobody promised: trouble of the source
        if prediction["confidence"] > 1:
            unsure += 1
            continue
        mark = prediction["id"], prediction["timestamp"]
        if last.get(ticker) != mark:
            last[ticker] = mark
            sent.setdefault(ticker, []).append(f"{ticker}:{mark[0]}")
    rows: dict[str, list[str]] = {}
    for fate in fates:
        if fate.reason != "schema":
            rows.setdefault(fate.symbol, []).append(fate.signal_id)
    for ticker in sent.keys() | rows.keys():
        if sent.get(ticker) != rows.get(ticker):
            lost = Counter(sent.get(ticker, [])) - Counter(rows.get(ticker, []))
            made_up = Counter(rows.get(ticker, [])) - Counter(sent.get(ticker, []))
            wrong.append(f"signals of {ticker}: lost {lost}, made up {made_up}, or in another order")
    refused_shapes = sum(fate.reason == "schema" for fate in fates)
    if refused_shapes != unsure:
        wrong.append(f"{unsure} predictions had a confidence above 1, {refused_shapes} were refused for it")
    wrong += [f"{each['waiting']} signals of {each['name']} were never looked at"
              for each in report.sources if each["waiting"]]  # fmt: skip
    wrong += [f"{fate.signal_id} has no end" for fate in fates if fate.outcome is Outcome.PASSED]
    wrong += [f"{fate.signal_id} was refused without a reason" for fate in fates
              if fate.outcome in (Outcome.REFUSED, Outcome.DENIED) and not fate.reason]  # fmt: skip
    counted = Counter(str(fate.outcome) for fate in fates)
    shown = {str(each): report.fates[str(each)] for each in Outcome if report.fates[str(each)]}
    if shown != dict(counted) or report.signals != len(fates) or report.signals != sum(shown.values()):
        wrong.append(f"the report counts {report.signals}: {shown}; the rows say {counted}")
    reasons = Counter(fate.reason for fate in fates if fate.reason)
    if report.refused | report.denied != dict(reasons):
        wrong.append(f"the report's reasons {report.refused} {report.denied}, the rows' {reasons}")
    if (report.traded, report.closed) != (counted["traded"], counted["closed"]):
        wrong.append(f"the report says {report.traded} traded, {report.closed} closed; the rows {counted}")
    return wrong


def _written(fates: list[Fate], records: list[Record]) -> list[str]:
    """The journal has a row for each, as the gate judged it."""
    journal = [(each.signal_id, each.passed, each.signal_ns, each.confidence)
               for each in records if isinstance(each, SignalJudged)]  # fmt: skip
    unwritten = sum(each.count for each in records if isinstance(each, SignalsUnwritten))
    passed = {(each.signal_id, each.model) for each in fates if each.outcome is not Outcome.REFUSED}
    rows = [(each.signal_id, each.signal_ns, each.confidence) for each in fates]
    wrong = []
    if unwritten or [(name, at_ns, sure) for name, _, at_ns, sure in journal] != rows:
        wrong.append(f"the journal has {len(journal)} signals ({unwritten} unwritten), the book {len(rows)}")
    acted = {name for name, passed_gate, _, _ in journal if passed_gate}
    wrong += [f"{name} acted, and the journal says that the gate refused it" for name, _ in passed
              if name not in acted]  # fmt: skip
    return wrong


def _acted(fates: list[Fate], records: list[Record], sim: SimulatedTWS) -> list[str]:
    """What traded has its entry in the journal, once; and the broker has no order that was not meant."""
    meant = {each.intent_id: each for each in records if isinstance(each, Intended)}
    plans = Counter((each.strategy, each.signal_id) for each in records if isinstance(each, Planned)
                    if each.signal_id)  # fmt: skip
    wrong = [f"signal {name} acted {count} times" for name, count in plans.items() if count > 1]
    for fate in fates:
        intent = meant.get(fate.intent_id)
        if fate.outcome is Outcome.TRADED and (intent is None or intent.role is not Role.ENTRY):
            wrong.append(f"{fate.signal_id} traded as {fate.intent_id!r}, which the journal has not")
    entries = {fate.intent_id for fate in fates if fate.outcome is Outcome.TRADED}
    by_signal = {each.group_id for each in records if isinstance(each, Planned) and each.signal_id}
    strays = [each.intent_id for each in meant.values() if each.role is Role.ENTRY
              and each.group_id in by_signal and each.intent_id not in entries]  # fmt: skip
    exchange = sim.exchange
    placed = Counter(done.order.ticket.order_ref for done in exchange.completed_orders())
    placed += Counter(view.ticket.order_ref for view in exchange.open_orders())
    wrong += [f"the broker has {name} {count} times, the journal {name in meant}"
              for name, count in placed.items() if count > 1 or name not in meant]  # fmt: skip
    return wrong + [f"entry {name} belongs to no row" for name in strays]


def _guarded(watch: Watch, report: RunReport) -> list[str]:
    """No share was without a stop for longer than the desk's bound, by its own count and by the broker's."""
    bound_s = Timing().alarm_ns / NS_PER_S
    wrong = []
    if watch.longest_s > bound_s:
        wrong.append(f"by the broker's books {watch.longest_s} s without a stop, bound {bound_s} s")
    if report.protection is None or report.protection.longest_s > bound_s:
        wrong.append(f"by our books: {report.protection}, bound {bound_s} s")
    return wrong


def _money(
    sim: SimulatedTWS, run: Run, report: RunReport, watch: Watch, opening: Decimal
) -> list[str]:
    """Our profit is the broker's to the cent: of each symbol by his ledger of each day and by what the
    executions took in and paid out, of all by the cash.
    """
    ours, exchange = run.trader.desk.state.ours, sim.exchange
    flow: Counter[str] = Counter()
    for each in exchange.executions():
        done = each.executed
        sign = 1 if done.side == "SLD" else -1
        paid = sign * done.quantity * done.price - each.commission.amount
        flow[sim.security(done.con_id).symbol] += paid  # type: ignore[assignment]
    mine: Counter[str] = Counter()
    for holding in ours.holdings.values():
        mine[holding.contract.symbol] += ours.net_pnl(holding)  # type: ignore[assignment]
    wrong = []
    for symbol in flow.keys() | mine.keys():
        for what, true in (("the ledger", watch.earned[symbol]), ("the executions", flow[symbol])):
            if abs(mine[symbol] - true) > HALF_A_CENT:
                wrong.append(f"{symbol} has earned {mine[symbol]}, by {what} {true}")
    cash = cash_of(exchange, run.trader.desk.state.account) - opening
    if abs(cash - report.realized) > HALF_A_CENT:
        wrong.append(f"the broker's cash moved by {cash}, the report has earned {report.realized}")
    return wrong


def _closed(watch: Watch, records: list[Record]) -> list[str]:
    """At each close the broker held nothing of ours and worked nothing; each symbol was flattened once."""
    wrong = [f"{close}: {left}" for close, left in watch.at_close.items() if left]
    if watch.closes:
        wrong.append(f"{len(watch.closes)} closes did not come")
    begun = Counter((each.key, each.symbol) for each in records if isinstance(each, FlattenMoved)
                    if each.key and each.phase is FlattenPhase.CANCELLING)  # fmt: skip
    wrong += [f"{symbol} was flattened {count} times for {key}" for (key, symbol), count in begun.items()
              if count > 1]  # fmt: skip
    if len({key for key, _ in begun}) != len(watch.at_close):
        wrong.append(f"a day went by in which nothing was held at its end: {sorted(begun)}")
    return wrong
