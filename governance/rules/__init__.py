"""Rules, pure: what their documents say, which releases break them, and how they read in words."""

from governance.rules.documents import (
    PROFILE_DENIALS,
    RuleError,
    RuleSpec,
    Variant,
    check_dialects,
    parse,
    parse_all,
)
from governance.rules.judging import ReleaseFacts, next_change, violating
from governance.rules.oddities import Releases, asked_of, oddities
from governance.rules.wishes import Wish
from governance.rules.wording import says

__all__ = [
    "PROFILE_DENIALS",
    "ReleaseFacts",
    "Releases",
    "RuleError",
    "RuleSpec",
    "Variant",
    "Wish",
    "asked_of",
    "check_dialects",
    "next_change",
    "oddities",
    "parse",
    "parse_all",
    "says",
    "violating",
]
