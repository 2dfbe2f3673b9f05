"""The demo's network as probes find it: answers come from the simulator's troubles, so that outages can be seen without any device."""

from watchword.connectors.probe_target import Probe
from watchword.connectors.probes import Outcome, Verdict
from watchword.kit.clock import Clock
from watchword.simulate import Organisation
from watchword.simulate.probing import Equipment, Tried


class SimulatedNetwork:
    """Answers probes as the invented organisation's equipment would."""

    def __init__(self, clock: Clock, org: Organisation) -> None:
        """Take the present, and whose equipment it is."""
        self._clock = clock
        self._equipment = Equipment(org)

    def try_one(self, probe: Probe) -> Outcome:
        """Return what a try finds now."""
        asked = Tried(probe.name, probe.asset, probe.kind, probe.host, probe.port, probe.path)
        state, said = self._equipment.answer(asked, self._clock.now())
        return Outcome(Verdict(state), said)
