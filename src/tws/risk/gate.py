"""The gate: judges proposals against the limits, and alone turns an approval into a permit.

`judge` looks, and answers None or the first denial. `approve` remembers that an order, as it will be
written, may leave; `mint` turns that memory, once, into a permit. The desk approves while it decides
and mints when the records are on disk. A crash in between forgets the approval, which is right: the
order is then of unknown outcome, is asked about and never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from tws.model.contract import Contract
from tws.model.exercise import Instruction
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, Role
from tws.risk.controls import ENTRIES, EXITS, STANDALONE
from tws.risk.denial import Denial
from tws.risk.limits import Limits
from tws.risk.measure import measure
from tws.risk.permit import FramePermit, Mint, Permit
from tws.risk.situation import Proposal, Situation

__all__ = ["Gate", "StandaloneGate"]

_CAPACITY = 10_000  # approvals that nobody fetched, and narrowed limits: more than any run has


class Gate:
    """The gate of a desk, and the verifier of its permits.

    `limits` are the configuration's; those in force come with each situation, for they may have been changed.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.unlocked_until: Callable[[str], int | None] = lambda account: None
        """When the latest unlock of a live account expires, past or not; None for one never unlocked."""
        self._mint = Mint()
        self._narrowed_from: Limits | None = None
        self._narrowed: dict[tuple[str, str, str], Limits] = {}
        self._approved: dict[tuple[str, int], tuple[int, Contract, Instruction, Decimal]] = {}

    def judge(self, proposal: Proposal, situation: Situation) -> Denial | None:
        """The first limit that the proposal breaks, None if it breaks none."""
        account, symbol = situation.account, proposal.contract.symbol
        limits = self.limits_of(situation.limits or self.limits, account, symbol, proposal.strategy)
        for check in ENTRIES if proposal.role is Role.ENTRY else EXITS:
            denial = check(proposal, situation, limits)
            if denial is not None:
                return denial
        return None

    def measure(self, proposal: Proposal, situation: Situation) -> Mapping[str, tuple[str, str]]:
        """The figures of a proposal that has passed `judge`, for its approval's record."""
        account, symbol = situation.account, proposal.contract.symbol
        limits = self.limits_of(situation.limits or self.limits, account, symbol, proposal.strategy)
        return measure(proposal, situation, limits)

    def limits_of(self, limits: Limits, account: str, symbol: str, strategy: str) -> Limits:
        """`limits.narrowed`, remembered as long as the same limits are in force."""
        if limits is not self._narrowed_from:
            self._narrowed_from = limits
            self._narrowed.clear()
        key = (account, symbol, strategy)
        found = self._narrowed.get(key)
        if found is None:
            while len(self._narrowed) >= _CAPACITY:
                del self._narrowed[next(iter(self._narrowed))]
            found = self._narrowed[key] = limits.narrowed(*key)
        return found

    def approve(
        self, key: tuple[str, int], order_id: int, contract: Contract, order: Instruction, cap: Decimal
    ) -> None:
        """Remember that revision `key[1]` of intent `key[0]` was judged and may leave exactly like this."""
        while len(self._approved) >= _CAPACITY:
            del self._approved[next(iter(self._approved))]
        self._approved[key] = (order_id, contract, order, cap)

    def mint(self, key: tuple[str, int]) -> Permit | None:
        """The permit of an approval, once; None when there is none (any more)."""
        approved = self._approved.pop(key, None)
        if approved is None:
            return None
        order_id, contract, order, cap = approved
        intent_id, revision = key
        return self._mint.issue(order_id, contract, order, intent_id=intent_id, cap=cap,
                                modifies=revision > 0)

    def redeem(self, permit: Permit, order_id: int, contract: Contract, order: Instruction) -> Denial | None:
        """None when the permit is good for exactly this order; asking uses it up."""
        return self._mint.redeem(permit, order_id, contract, order)


class StandaloneGate:
    """The small gate of whoever has no desk: live lock, market rule, allow-list, quantity, notional.

    `account` may be empty until TWS has named the accounts; nothing passes before it is set.
    """

    def __init__(self, limits: Limits, *, port: int, account: str = "") -> None:
        self.limits = limits
        self.port = port
        self.account = account
        self._mint = Mint()

    def judge(self, instrument: Instrument, order: Order, quote: Quote | None = None) -> Denial | None:
        """The first limit that this order breaks. An order without an account counts as one of ours.

        A market order is valued by `quote`; without one it is denied as long as a notional limit stands.
        """
        account = order.account or self.account
        known = (self.account,) if self.account else ()
        proposal = Proposal(instrument=instrument, order=replace(order, account=account), role=Role.ENTRY)
        situation = Situation(now_ns=0, port=self.port, account=self.account, managed_accounts=known,
                              quote=quote)
        for check in STANDALONE:
            denial = check(proposal, situation, self.limits)
            if denial is not None:
                return denial
        return None

    def permit(
        self, order_id: int, instrument: Instrument, order: Order, quote: Quote | None = None
    ) -> Permit | Denial:
        """A permit for exactly this order, once; or the denial."""
        denial = self.judge(instrument, order, quote)
        if denial is not None:
            return denial
        return self._mint.issue(order_id, instrument.contract, order, intent_id=order.order_ref,
                                cap=order.quantity, modifies=False)

    def redeem(self, permit: Permit, order_id: int, contract: Contract, order: Instruction) -> Denial | None:
        """None when the permit is good for exactly this order; asking uses it up."""
        return self._mint.redeem(permit, order_id, contract, order)

    def permit_frame(self, frame: bytes) -> FramePermit:
        """A permit for exactly these bytes, once. Whoever asks has judged what they do."""
        return self._mint.issue_frame(frame)

    def redeem_frame(self, permit: FramePermit, frame: bytes) -> Denial | None:
        """None when the permit is good for exactly these bytes; asking uses it up."""
        return self._mint.redeem_frame(permit, frame)
