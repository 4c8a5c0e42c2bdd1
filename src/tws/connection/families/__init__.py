"""What can be asked of TWS and what it answers, one module for each family of requests.

A family has two halves that belong together: a class of questions, which `TWSConnection` inherits, and
`hear(answers)`, the handlers of the messages that answer them. `base` has what all families use. To add a
request: its message stands in `tws.wire.messages`; write the question and the handler here, its row in
docs/design/requests.md, and the same name on `SyncConnection`.

session     clocks, ids, accounts of the login
contracts   details of contracts, symbols, market rules
chains      option chains, one by one and all contracts at once
reference   depth exchanges, exchanges behind SMART, family codes
groups      the linked windows of TWS
history     bars of the past
download    the same beyond one request's limits
past        single ticks, volume by price, sessions that were
livebars    bars kept up to date, real-time bars
quotes      quotes, once and as streams, their kind
options     greeks, implied volatility, option prices
ticks       tick by tick
depth       the levels behind the best quote
orders      open and completed orders, executions; whatif: what one would cost
exercising  exercise and lapse of options
accounts    positions, the values and portfolio of one account
summaries   several accounts, models, profit and loss
settings    TWS's own settings, told and changed
advisors    groups, profiles and aliases of an advisor's login
verification  programs that IB has registered
news        providers, headlines, articles, bulletins
scanners    market scanners
research    fundamentals, corporate events
"""

from __future__ import annotations

from tws.connection.families import (
    accounts,
    advisors,
    chains,
    contracts,
    depth,
    groups,
    history,
    livebars,
    news,
    options,
    orders,
    past,
    quotes,
    reference,
    research,
    scanners,
    session,
    settings,
    summaries,
    ticks,
    verification,
)

__all__ = ["FAMILIES", "Questions"]

FAMILIES = (
    session, contracts, chains, reference, groups, history, past, livebars, quotes, options, ticks, depth,
    orders, accounts, summaries, settings, advisors, verification, news, scanners, research,
)  # fmt: skip
"""Every module that hears answers; each has `hear`."""


class Questions(
    chains.ChainQuestions,
    reference.ReferenceQuestions,
    groups.GroupQuestions,
    livebars.LiveBarQuestions,
    past.PastQuestions,
    quotes.QuoteQuestions,
    options.OptionQuestions,
    ticks.TickQuestions,
    depth.DepthQuestions,
    orders.OrderQuestions,
    accounts.AccountQuestions,
    summaries.SummaryQuestions,
    settings.SettingsQuestions,
    advisors.AdvisorQuestions,
    verification.VerificationQuestions,
    news.NewsQuestions,
    scanners.ScannerQuestions,
    research.ResearchQuestions,
):
    """Everything that can be asked (session, contracts, history and downloads are bases of the others)."""
