"""Every validity gate, in the order it is shown.

A gate asks whether the evidence may be believed; a closed gate takes passes away from the families
it covers and never softens a failure.
"""

from analyzer.gates.identity import IDENTITY_GATES
from analyzer.gates.pairs import PAIR_GATES
from analyzer.gates.replay import REPLAY_GATES
from analyzer.gates.timeline import TIMELINE_GATES
from analyzer.metrics.metric import GateCheck

GATES: tuple[GateCheck, ...] = (*IDENTITY_GATES, *TIMELINE_GATES, *REPLAY_GATES, *PAIR_GATES)
BY_ID = {gate.id: gate for gate in GATES}
