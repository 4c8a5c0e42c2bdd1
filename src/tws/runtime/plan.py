"""What a run will do: the whole configuration checked, and told to a human, before anything is dialled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tws.config import Settings, TWSConfig, is_live_port, is_paper_account, mask_account
from tws.config.rules import RuleSection
from tws.config.run import HeardSection, SignalsSection, TradingSection, check_strategies
from tws.config.strategies import PythonStrategySection
from tws.errors import ConfigError
from tws.model.contract import Contract, contract_named, stock
from tws.risk import Limits
from tws.rules import Rule, parse_rules, rule_table
from tws.rules.conditions import Flag, Is
from tws.rules.index import can_hold, leaves, operands
from tws.runtime.graduation import Grade, capped, grade_of
from tws.runtime.place import Place, state_root
from tws.runtime.programs import host, load_programs
from tws.runtime.strategies import Hosted
from tws.strategy.base import Strategy

__all__ = ["RunPlan", "asked_about", "judged", "plan_run", "with_rules"]


MOST_NAMED = 50
"""Rules that a plan names: what it will do is to be read before it does it."""


class RunPlan(Struct, frozen=True, kw_only=True):
    """What a run will do: all of it checked, nothing dialled."""

    config: TWSConfig
    limits: Limits
    settings: Settings
    path: Path
    place: Place
    journal: Path
    rules: tuple[Rule, ...] = ()
    programs: dict[str, Strategy] = {}
    """The strategies in Python, by name."""
    contracts: dict[str, Contract] = {}
    """What symbols mean; one that is not named is a stock at SMART in USD."""
    grade: Grade | None = None
    """How much of sizes and limits a live run may use; None: all of it, for no real money is meant."""
    program: bool = False
    """Whether a program brought a strategy or rules of its own: its file alone does not say what it does."""
    simulated: bool = False
    """Whether it is known that a simulator of ours listens there."""

    def contract(self, symbol: str) -> Contract:
        """What a symbol means, as it is to be looked up."""
        return self.contracts.get(symbol) or stock(symbol)

    def hosted(self, blocked: Callable[[], float] | None = None) -> dict[str, Hosted]:
        """The same, ready to be opened on a trader; a new run wants new ones. `blocked`: see TraderParts."""
        sections = [each for each in self.sections if isinstance(each, PythonStrategySection)]
        return {
            name: host(each, self.programs[name], self.place.folder, blocked)
            for each in sections if (name := each.name or "")
        }

    @property
    def sections(self) -> list[TradingSection]:
        return [*self.settings.signals, *self.settings.strategies]

    @property
    def live(self) -> bool:
        """Whether any sign of real money shows, before TWS has named the account."""
        config = self.config
        account = config.account_id
        return (
            config.trading_mode == "live"
            or is_live_port(config.port)
            or (bool(account) and not is_paper_account(account))
        )

    @property
    def mode(self) -> str:
        """simulator, paper or live."""
        return "live" if self.live else "simulator" if self.simulated else "paper"

    @property
    def share(self) -> Decimal:
        """The part of each size that an entry may have."""
        return Decimal(1) if self.grade is None else self.grade.share

    def _mode(self) -> str:
        if self.grade is not None:
            return f"LIVE, real money; {self.grade}"
        return {"simulator": "simulator: no broker, no money"}.get(self.mode, "paper: no real money is meant")

    def lines(self) -> list[str]:
        """What it will do, for a human."""
        config, limits, run = self.config, self.limits, self.settings.run
        end = "stops stay at the broker" if run.at_end == "protected" else "all that is ours is closed"
        close = (
            f", closed {run.flatten_before_close_s} s before the close" if run.flatten_before_close_s else ""
        )
        return [
            f"session   {config.host}:{config.port}, client id {config.client_id}, "
            f"account {mask_account(config.account_id) if config.account_id else 'as TWS names it'}",
            f"mode      {self._mode()}",
            *(f"trades    {_described(section)}" for section in self.sections),
            *(f"contract  {_told(each)}" for _, each in sorted(self.contracts.items())),
            *([f"rules     {_named(self.rules)}"] if self.rules else []),
            f"limits    order {_text(limits.max_order_quantity)} shares, "
            f"{_text(limits.max_order_notional)} money; position {_text(limits.max_position)}; "
            f"the day's loss {_text(limits.max_daily_loss)}; quotes younger than {limits.stale_quote_s:g} s",
            f"at the end {end}{close}",
            f"journal   {self.journal}",
            f"state     {self.place.folder}",
        ]


def plan_run(
    settings: Settings, path: Path, state: str | Path | None = None, journal: Path | None = None,
    own: Strategy | None = None,
) -> RunPlan:
    """Check all that can be checked without dialling; `state` and `journal` go before what the file says,
    `own` is a strategy that the calling program made itself (`programs.with_program`).

    Raises ConfigError: field, value, cure.
    """
    config = settings.connection.to_config()
    folder = path.resolve().parent
    settings, programs = load_programs(settings, folder, own)
    root = state_root(_below(folder, settings.state.folder) if state is None else state)
    place = Place(root / f"{config.port}-{config.client_id}")
    plan = RunPlan(
        config=config,
        limits=Limits(),
        settings=settings,
        path=path.resolve(),
        place=place,
        journal=journal or _below(folder, settings.journal.file) or place.journal,
        programs=programs,
        contracts=_contracts(settings, programs),
    )
    return judged(plan)


def judged(plan: RunPlan) -> RunPlan:
    """The plan with limits and rules of its settings, all of it judged together. Raises ConfigError."""
    settings = plan.settings
    check_strategies(settings.signals, settings.strategies, plan.path.parent)
    limits = Limits.from_section(settings.risk.chosen() | settings.paper.limits())
    allowed = limits.allow
    for symbol in (symbol for each in plan.sections for symbol in each.symbols):
        if allowed is not None and symbol not in allowed:
            raise ConfigError(
                "risk.allow", allowed, f"lacks {symbol}, which a strategy is to trade", "Add it"
            )
    rules, grade = _checked_rules(settings, plan.sections), None
    if plan.live:
        grade = grade_of(plan.place.folder.parent, settings, plan.config.account_id)
        limits = capped(limits, grade.share)
    plan = replace(plan, limits=limits, rules=rules, grade=grade)
    if plan.live and not plan.config.account_id:
        raise ConfigError(
            "connection.account_id",
            "",
            "live trading needs the account by name",
            "Write the id that TWS shows in its title, and unlock it: tws unlock",
        )
    if plan.live and settings.paper.allow_delayed:
        raise ConfigError(
            "paper.allow_delayed", True, "delayed data carry no entry on a live account", "Take it out"
        )
    return plan


def with_rules(settings: Settings, rules: Iterable[Rule]) -> Settings:
    """The settings with a program's own rules before those of the file. They stand there as text, which reads
    back as the same rules, so that plan, check and fingerprint speak for them as for any.
    """
    tables = [rule_table(rule) for rule in rules]
    own = [RuleSection.model_validate(table | {"then": tuple(table["then"])}) for table in tables]
    return settings.model_copy(update={"rules": (*own, *settings.rules)})


def asked_about(rules: tuple[Rule, ...]) -> set[str]:
    """The symbols about which rules ask by name (`price of SPY`)."""
    found = {each.symbol for rule in rules for each in operands(rule.when)}
    found |= {each.symbol for rule in rules for each in leaves(rule.when) if isinstance(each, Is | Flag)}
    return found - {""}


def _contracts(settings: Settings, programs: dict[str, Strategy]) -> dict[str, Contract]:
    """What the classes say that symbols mean, then what the file says. Raises ConfigError."""
    found: dict[str, Contract] = {}
    for name, strategy in programs.items():
        for symbol, contract in strategy.contracts.items():
            if contract.symbol != symbol:
                reason = f"is said to be a contract of {contract.symbol}"
                raise ConfigError(f"{name}.contracts", symbol, reason, "Name each contract by its own symbol")
            found[symbol] = contract
    for symbol, text in settings.contracts.items():
        try:
            found[symbol] = contract_named(symbol, text)
        except ValueError as wrong:
            cure = 'Write such as "FUT 202612 CME", "OPT 20261218 560 C" or "STK SMART EUR"'
            raise ConfigError(f"contracts.{symbol}", text, str(wrong), cure) from None
    return found


def _told(contract: Contract) -> str:
    strike = "" if contract.strike is None else f"{contract.strike:g}"
    words = (contract.sec_type, contract.last_trade_date, strike, contract.right, contract.exchange,
             contract.currency)
    return f"{contract.symbol} is {' '.join(word for word in words if word)}"


def _checked_rules(settings: Settings, sections: list[TradingSection]) -> tuple[Rule, ...]:
    """The rules of the file. Raises ConfigError for what is wrong in one, and one that no traded symbol can
    fire.
    """
    rules = parse_rules(section.chosen() for section in settings.rules)
    symbols = [symbol for section in sections for symbol in section.symbols]
    for rule in rules:
        if not any(can_hold(rule.when, symbol) for symbol in symbols):
            cure = f"Name one that is traded here: {', '.join(symbols)}"
            raise ConfigError(f"rules.{rule.name}.when", None, "no traded symbol can ever fire it", cure)
    return rules


def _named(rules: tuple[Rule, ...]) -> str:
    """Their names, and what they mean for signals."""
    names = [rule.name for rule in rules]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}: they decide what a signal does"


def _described(section: TradingSection) -> str:
    stop = f"{section.stop_fraction:.2%}" if section.stop_fraction else f"{section.stop_atr:g} ATR"
    target = f"{section.target_fraction:.2%}" if section.target_fraction else f"{section.target_atr:g} ATR"
    if section.trail is not None:
        stop += f" that trails by {section.trail}"
    elif section.break_even_after is not None:
        beyond = f" + {section.break_even_offset}" if section.break_even_offset else ""
        stop += f", at the entry{beyond} after {section.break_even_after} of profit"
    kind = getattr(section, "kind", "")
    if isinstance(section, SignalsSection):
        kind = f"signals of {section.file}"
    elif isinstance(section, HeardSection):
        kind = f"signals by {kind}"
    elif isinstance(section, PythonStrategySection):
        kind = f"{section.name} ({section.class_} of {section.file})"
    held = [f"an opposite signal {_OPPOSITE[section.opposite]}"]
    if section.scale_in_profit is not None:
        held.append(f"adds {section.scale_in_times} times at most, at {section.scale_in_profit} of profit")
    if section.double_down:
        held.append("doubles down half way to the stop")
    return (
        f"{kind}: {' '.join(section.symbols)}, {_size(section)} an entry, stop {stop}, target {target}; "
        f"{', '.join(held)}"
    )


_OPPOSITE = {"reverse": "reverses", "close": "closes", "ignore": "is ignored"}


def _size(section: TradingSection) -> str:
    if section.shares is not None:
        return f"{section.shares} shares"
    if section.risk_fraction is not None:
        return f"{section.risk_fraction:.2%} of the equity at risk"
    if section.volatility_target is not None:
        return f"{section.volatility_target:.2%} of yearly volatility"
    if section.kelly_fraction is not None:
        return f"{section.kelly_fraction:g} of Kelly's fraction, {section.kelly_cap:.2%} at risk at most"
    return f"{section.allocation} money"


def _below(folder: Path, name: str | None) -> Path | None:
    """A path of the file, relative to the file's own folder."""
    return None if name is None else folder / Path(name).expanduser()


def _text(amount: object) -> str:
    return "no limit" if amount is None else str(amount)
