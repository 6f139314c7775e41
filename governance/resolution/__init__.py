"""What to do about drift: pure functions from a situation to its outcome."""

from governance.resolution.agreeing import Sameness, Tenants
from governance.resolution.candidates import NONE, Candidates
from governance.resolution.company import Company
from governance.resolution.consistency import Reason, Trouble, Why, troubles
from governance.resolution.deciding import OPENED, combined, decide, decide_whole
from governance.resolution.digests import digest_of, digest_of_set
from governance.resolution.ordering import in_order
from governance.resolution.outcome import Change, Outcome, Rule, Saying, Unsettled, WayOut
from governance.resolution.parts import Frame, parts, together
from governance.resolution.releases import Clash, Need, Prefer, Relation, Release
from governance.resolution.situation import Situation
from governance.resolution.values import Binding, Component
from governance.resolution.wording import reason_in_words

__all__ = [
    "NONE",
    "OPENED",
    "Binding",
    "Candidates",
    "Change",
    "Clash",
    "Company",
    "Component",
    "Frame",
    "Need",
    "Outcome",
    "Prefer",
    "Reason",
    "Relation",
    "Release",
    "Rule",
    "Sameness",
    "Saying",
    "Situation",
    "Tenants",
    "Trouble",
    "Unsettled",
    "WayOut",
    "Why",
    "combined",
    "decide",
    "decide_whole",
    "digest_of",
    "digest_of_set",
    "in_order",
    "parts",
    "reason_in_words",
    "together",
    "troubles",
]
