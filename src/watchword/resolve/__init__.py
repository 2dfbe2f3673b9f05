"""Resolve: badge, account, address and reader → one person, asset and place, as known at the time; and who is where.

`Directory` answers for one version of the site and people files; `Presence` says where a person was, from the set of their events.
The shell, `watchword.resolve.service.Registry`, takes files in and hands the directory out; not imported here: this stays pure.
"""

from watchword.resolve.directory import Directory
from watchword.resolve.presence import Evidence, Presence, PresenceState, Sort, State, Stay, evidence_of
from watchword.resolve.travel import Claim, claim_of, haversine_km, impossible, least_travel_of
from watchword.resolve.unresolved import unresolved_of

__all__ = [
    "Claim",
    "Directory",
    "Evidence",
    "Presence",
    "PresenceState",
    "Sort",
    "State",
    "Stay",
    "claim_of",
    "evidence_of",
    "haversine_km",
    "impossible",
    "least_travel_of",
    "unresolved_of",
]
