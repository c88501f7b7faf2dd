"""Rows and constraints. No business rules: services write, selectors read."""

from trading.models.account import Account, AccountMember, ApprovalPolicy, Sleeve
from trading.models.idempotency import IdempotencyKey
from trading.models.ledger import Ledger, Lot, LotPosting, Position
from trading.models.limits import TradingLimits
from trading.models.market import Instrument, MarketDay
from trading.models.orders import (
    OPEN_ATTEMPTS,
    Approval,
    Attempt,
    BrokerOrder,
    Decision,
    Enumeration,
    Intent,
    Lane,
    OrderAction,
    OrderType,
    Reservation,
    RuleCheck,
    Side,
)
from trading.models.people import ApiToken, CredentialChange, RecoveryCode, SecondFactor
from trading.models.proposals import Proposal
from trading.models.records import (
    Alert,
    AuditEntry,
    AuditHead,
    KisToken,
    ProcessEpoch,
    ReconciledEpoch,
    ReleaseRequest,
    ScheduleFire,
    Snapshot,
    Switch,
    Transition,
)

__all__ = [
    "OPEN_ATTEMPTS",
    "Account",
    "AccountMember",
    "Alert",
    "ApiToken",
    "Approval",
    "ApprovalPolicy",
    "Attempt",
    "AuditEntry",
    "AuditHead",
    "BrokerOrder",
    "CredentialChange",
    "Decision",
    "Enumeration",
    "IdempotencyKey",
    "Instrument",
    "Intent",
    "KisToken",
    "Lane",
    "Ledger",
    "Lot",
    "LotPosting",
    "MarketDay",
    "OrderAction",
    "OrderType",
    "Position",
    "ProcessEpoch",
    "Proposal",
    "ReconciledEpoch",
    "RecoveryCode",
    "ReleaseRequest",
    "Reservation",
    "RuleCheck",
    "ScheduleFire",
    "SecondFactor",
    "Side",
    "Sleeve",
    "Snapshot",
    "Switch",
    "TradingLimits",
    "Transition",
]
