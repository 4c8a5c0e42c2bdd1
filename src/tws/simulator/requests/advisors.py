"""A financial advisor's login: groups, profiles and aliases (18, 19), and orders for a group of accounts.

With `SimulatorOptions.advisor` the first account is the advisor's own and the others are clients'. What a
program replaces is kept whole or refused: 10231 for accounts that are not the advisor's (official), 321 for
what can't be read (assumed); 103 says that it is kept (its text assumed). To any other login both requests
are refused with 321 (recorded; 18 under the id 2147483647). Profiles are spoken below server version 177
(official).

An order for a group is worked in the advisor's account, as one; when it ends, what was filled goes to the
accounts (`tws.exchange.allotments`), in whole lots: by the method's weights, rounded down, then a lot each in
the group's order until all is distributed (official for equal quantities, taken for all). A combination stays
with the advisor (assumed). PctChange states no size: it is so many percent of what each account holds, on the
side that the order and the sign of the percentage move (official), whole lots rounded down (assumed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from tws.errors import DecodeError
from tws.exchange import OrderView
from tws.model.advisor import AccountAlias, AdvisorGroup, AdvisorProfile, AdvisorShare
from tws.simulator.combos import is_loose
from tws.simulator.session import Session
from tws.simulator.tickets import Refused
from tws.wire import advisorxml
from tws.wire.advisorxml import ALIASES, GROUPS, PROFILES
from tws.wire.messages import FAReplace, FARequest, ReceiveFA, ReplaceFAEnd, WireOrder

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Advisors"]

NO_PROFILES = 177
"""From this server version on groups have amounts, and profiles are gone (official)."""
WITHOUT_ID = 2**31 - 1
HEAD = "Error validating request.-"
NO_FA = "FA data operations ignored for non FA customers."
ENDED = ("Filled", "Cancelled", "ApiCancelled", "Inactive")
BY_AMOUNT = ("Percent", "Ratio", "ContractsOrShares", "MonetaryAmount")
KINDS = {1: "Percent", 2: "Ratio", 3: "ContractsOrShares"}
"""What the numbers of profiles mean, in the words of groups."""
BY_VALUE = {"NetLiq": "NetLiquidation", "AvailableEquity": "AvailableFunds"}
"""Methods that weigh by a value of each account, and which."""
EQUAL = ("Equal", "EqualQuantity")
CHANGE = "PctChange"
BARRED = "Non-guaranteed combinations are not available for orders of a group or profile."
REMEMBERED = 1000
"""Orders whose shares were given away; TWS says the end of an order twice, at once."""


class Kept(Struct, frozen=True, kw_only=True):
    """An advisor's settings as they stand."""

    groups: tuple[AdvisorGroup, ...] = ()
    profiles: tuple[AdvisorProfile, ...] = ()
    aliases: tuple[AccountAlias, ...] = ()


class Advisors:
    """Answers at once; what is kept outlives sessions."""

    def __init__(self, core: Core) -> None:
        self._core = core
        accounts = core.options.accounts
        self._kept = Kept(aliases=tuple(AccountAlias(account, account) for account in accounts))
        self._allocated: dict[int, None] = {}
        self._sizes: dict[tuple[int, int], tuple[Decimal, ...]] = {}
        """What each account of a PctChange order is to get, by its client and order id."""

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {FARequest: self._tell, FAReplace: self._replace}

    def _tell(self, session: Session, request: FARequest) -> None:
        if not self._core.options.advisor:
            session.error(WITHOUT_ID, 321, f"{HEAD}'b9' : cause - {NO_FA}")
            return
        kept, plain = self._kept, session.version < NO_PROFILES
        if request.fa_data_type == GROUPS:
            xml = advisorxml.write_groups(kept.groups, plain=plain)
        elif request.fa_data_type == PROFILES and plain:
            xml = advisorxml.write_profiles(kept.profiles)
        elif request.fa_data_type == ALIASES:
            xml = advisorxml.write_aliases(kept.aliases)
        else:
            session.error(WITHOUT_ID, 321, f"{HEAD}'b9' : cause - Non-existent FA data operation request")
            return
        session.send(ReceiveFA(request.fa_data_type, xml))

    def _replace(self, session: Session, request: FAReplace) -> None:
        refused = self._take(session, request) if self._core.options.advisor else Refused(321, NO_FA)
        if refused is None:
            session.send(ReplaceFAEnd(request.req_id, "Success"))
        else:
            head = f"{HEAD}'b1' : cause - " if refused.code == 321 else ""
            session.error(request.req_id, refused.code, head + refused.text)

    def _take(self, session: Session, request: FAReplace) -> Refused | None:
        """Keep it; or why not."""
        xml, kind = request.xml, request.fa_data_type
        try:
            if kind == GROUPS:
                groups = advisorxml.read_groups(xml)
                kept, shares = replace(self._kept, groups=groups), [one.shares for one in groups]
            elif kind == PROFILES and session.version < NO_PROFILES:
                profiles = advisorxml.read_profiles(xml)
                kept, shares = replace(self._kept, profiles=profiles), [one.shares for one in profiles]
            elif kind == ALIASES:
                aliases = advisorxml.read_aliases(xml)
                kept, shares = replace(self._kept, aliases=aliases), [_accounts(aliases)]
            else:
                return Refused(321, "Non-existent FA data operation request")
        except DecodeError:
            return Refused(321, "An XML string is required for this operation" if not xml else "Invalid XML")
        known = self._core.options.accounts
        wrong = sorted({share.account for row in shares for share in row} - set(known))
        if wrong:
            said = "The following Groups and/or Profiles contain invalid accounts"
            return Refused(10231, f"{said}: {','.join(wrong)}")
        self._kept = kept
        return None

    def accounts_of(self, group: str) -> tuple[str, ...]:
        """The accounts that a summary's group names: all, unless it is one of the advisor's groups."""
        found = next((one for one in self._kept.groups if one.name == group), None)
        return self._core.options.accounts if found is None else found.accounts

    # -- orders for a group ------------------------------------------------------------------------

    def addressed(self, key: tuple[int, int], order: WireOrder, con_id: int) -> WireOrder | Refused:
        """The order in the advisor's account when it is for a group; any other as it is. `key` is its client
        and order id; a con_id of 0 is a combination.
        """
        name, own = order.fa_group or order.fa_profile, self._core.options.accounts[0]
        if not name or not self._core.options.advisor:
            return order
        if order.account.strip() not in ("", own):
            return Refused(201, "Order rejected - reason:Invalid account number.")
        if is_loose(order):
            return Refused(321, f"{HEAD}'bX' : cause - {BARRED}")
        group = self._group(order)
        if group is None or not group.shares:
            return Refused(321, f"{HEAD}'bX' : cause - Invalid FA group or profile '{name[:40]}'.")
        if group.method == CHANGE:
            return self._sized(key, replace(order, account=own), group, con_id)
        if group.method not in (*EQUAL, *BY_VALUE, *BY_AMOUNT):
            said = f"The method '{group.method[:40]}' is not played by the simulated TWS"
            return Refused(321, f"{HEAD}'bX' : cause - {said}")
        return replace(order, account=own)

    def _sized(
        self, key: tuple[int, int], order: WireOrder, group: AdvisorGroup, con_id: int
    ) -> WireOrder | Refused:
        """An order by PctChange with the size that its accounts' positions give; who gets what is kept."""
        try:
            percent = Decimal(order.fa_percentage)
        except InvalidOperation:
            percent = Decimal("NaN")
        if not percent.is_finite() or not percent or not con_id:
            return Refused(321, f"{HEAD}'bX' : cause - Invalid FA percentage '{order.fa_percentage[:40]}'.")
        lot, sign = self._core.security(con_id).lot, 1 if order.action == "BUY" else -1
        parts = []
        for share in group.shares:
            row = self._core.exchange.position(share.account, con_id)
            held = row.quantity if row is not None else Decimal(0)
            moves = held * sign * percent > 0  # a purchase adds to what is long, or takes from what is short
            lots = (abs(held * percent) / 100 / lot).to_integral_value(ROUND_DOWN) if moves else Decimal(0)
            parts.append(lots * lot)
        if not sum(parts):
            return Refused(321, f"{HEAD}'bX' : cause - The order size is zero.")
        self._sizes[key] = tuple(parts)
        if len(self._sizes) > REMEMBERED:
            del self._sizes[next(iter(self._sizes))]
        return replace(order, total_quantity=sum(parts, Decimal(0)))

    def _group(self, order: WireOrder) -> AdvisorGroup | None:
        """The group or profile of an order, with the order's own method where it names one."""
        if order.fa_group:
            found = next((one for one in self._kept.groups if one.name == order.fa_group), None)
            return found if found is None or not order.fa_method else replace(found, method=order.fa_method)
        profile = next((one for one in self._kept.profiles if one.name == order.fa_profile), None)
        if profile is None:
            return None
        return AdvisorGroup(name=profile.name, method=KINDS.get(profile.kind or 0, ""), shares=profile.shares)

    def settle(self, view: OrderView) -> None:
        """An order has ended: what was filled of one for a group goes to its accounts."""
        order = view.ticket.carried
        if view.status not in ENDED or not view.filled or view.con_id < 0 or view.perm_id in self._allocated:
            return
        if not isinstance(order, WireOrder):
            return
        group = self._group(order) if order.fa_group or order.fa_profile else None
        if group is None:
            return
        self._allocated[view.perm_id] = None
        if len(self._allocated) > REMEMBERED:
            del self._allocated[next(iter(self._allocated))]
        lot = self._core.security(view.con_id).lot
        sizes = self._sizes.pop((view.client_id, view.order_id), None)
        if sizes is not None and len(sizes) == len(group.shares):
            rows = zip(group.shares, sizes, strict=True)
            shares = tuple(AdvisorShare(share.account, size) for share, size in rows)
            group = replace(group, method="ContractsOrShares", shares=shares)
        parts = self._parts(group, view.filled, lot)
        self._core.tell(self._core.exchange.allotments.share_out(view, parts, self._core.now_ns()))

    def _parts(self, group: AdvisorGroup, filled: Decimal, lot: Decimal) -> list[tuple[str, Decimal]]:
        """Whole lots for each account, together what was filled; who weighs nothing gets nothing."""
        weights = [self._weight(group.method, share) for share in group.shares]
        whole = sum(weights)
        if whole <= 0:
            weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
        lots = filled / lot
        parts = [(lots * weight / whole).to_integral_value(ROUND_DOWN) for weight in weights]
        rest = lots - sum(parts)
        taking = [place for place, weight in enumerate(weights) if weight]
        for place in taking:
            if rest < 1:
                break
            parts[place] += 1
            rest -= 1
        parts[taking[0]] += rest  # a fraction of a lot
        return [(share.account, part * lot) for share, part in zip(group.shares, parts, strict=True) if part]

    def _weight(self, method: str, share: AdvisorShare) -> Decimal:
        if method in BY_AMOUNT:
            return max(Decimal(0), share.amount or Decimal(0))
        if method not in BY_VALUE:
            return Decimal(1)
        key = BY_VALUE[method]
        values = self._core.exchange.account_values(share.account)
        return max(Decimal(0), next((Decimal(row.value) for row in values if row.key == key), Decimal(0)))


def _accounts(aliases: Sequence[AccountAlias]) -> tuple[AdvisorShare, ...]:
    return tuple(AdvisorShare(one.account) for one in aliases)
