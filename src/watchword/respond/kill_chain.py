"""The kill chain: how far along an attack the techniques of a finding stand, and whether two findings are neighbours on it."""

from collections.abc import Iterable, Mapping
from enum import IntEnum

REACH = 2
"""Findings so many stages apart are still neighbours: not every step of an attack leaves a trace."""


class Stage(IntEnum):
    """Where an act stands in an attack; ATT&CK's tactics of enterprise and ICS laid on one line."""

    RECONNAISSANCE = 1
    ENTRY = 2
    """Initial access, and getting in at a door."""
    FOOTHOLD = 3
    """Execution, persistence, privilege, evasion, credentials."""
    SPREAD = 4
    """Discovery, lateral movement, command and control."""
    OBJECTIVE = 5
    """Collection, exfiltration, impact, harm to a process or a guard system."""


STAGES: Mapping[str, tuple[Stage, ...]] = {
    "T1595": (Stage.RECONNAISSANCE,),
    "T1200": (Stage.ENTRY,),
    "T1684": (Stage.ENTRY,),
    "T1199": (Stage.ENTRY,),
    "T1133": (Stage.ENTRY, Stage.FOOTHOLD),
    "T1091": (Stage.ENTRY, Stage.SPREAD),
    "T1078": (Stage.ENTRY, Stage.FOOTHOLD),
    "T0883": (Stage.ENTRY,),
    "T0860": (Stage.ENTRY, Stage.SPREAD),
    "T1694": (Stage.ENTRY, Stage.SPREAD),
    "T1110": (Stage.FOOTHOLD,),
    "T1098": (Stage.FOOTHOLD,),
    "T1136": (Stage.FOOTHOLD,),
    "T1556": (Stage.FOOTHOLD,),
    "T1557": (Stage.FOOTHOLD, Stage.SPREAD),
    "T1040": (Stage.FOOTHOLD, Stage.SPREAD),
    "T1070": (Stage.FOOTHOLD,),
    "T1685": (Stage.FOOTHOLD,),
    "T1686": (Stage.FOOTHOLD,),
    "T1601": (Stage.FOOTHOLD,),
    "T0892": (Stage.FOOTHOLD,),
    "T1693": (Stage.FOOTHOLD, Stage.OBJECTIVE),
    "T1018": (Stage.SPREAD,),
    "T1046": (Stage.SPREAD,),
    "T0846": (Stage.SPREAD,),
    "T1021": (Stage.SPREAD,),
    "T1071": (Stage.SPREAD,),
    "T1041": (Stage.OBJECTIVE,),
    "T1052": (Stage.OBJECTIVE,),
    "T1489": (Stage.OBJECTIVE,),
    "T0815": (Stage.ENTRY, Stage.OBJECTIVE),
    "T0829": (Stage.ENTRY, Stage.OBJECTIVE),
    "T0832": (Stage.ENTRY, Stage.OBJECTIVE),
    "T0831": (Stage.ENTRY, Stage.OBJECTIVE),
    "T0836": (Stage.OBJECTIVE,),
    "T0837": (Stage.OBJECTIVE,),
    "T0838": (Stage.FOOTHOLD, Stage.OBJECTIVE),
    "T0878": (Stage.ENTRY, Stage.OBJECTIVE),
    "T0879": (Stage.OBJECTIVE,),
    "T0880": (Stage.OBJECTIVE,),
    "T1691": (Stage.ENTRY, Stage.OBJECTIVE),
    "T1692": (Stage.ENTRY, Stage.OBJECTIVE),
    "T1695": (Stage.ENTRY, Stage.OBJECTIVE),
}
"""ATT&CK technique (v19) → its stages; blinding a camera or a panel stands at entry too, where a burglar does it first."""


def stages_of(attack: Iterable[str]) -> frozenset[Stage]:
    """Return the stages of ATT&CK ids such as ``T1078.002`` or ``attack.t1078``; unknown ids have none."""
    found: set[Stage] = set()
    for given in attack:
        technique = given.upper().removeprefix("ATTACK.").partition(".")[0]
        found.update(STAGES.get(technique, ()))
    return frozenset(found)


def are_neighbours(one: frozenset[Stage], other: frozenset[Stage]) -> bool:
    """Tell whether two findings may be steps of one attack: some stage of the one within reach of the other's.

    Where nothing is known of a finding's stage, it is nobody's neighbour.
    """
    return bool(one) and bool(other) and min(abs(a - b) for a in one for b in other) <= REACH
