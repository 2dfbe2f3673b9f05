"""The front door: the one intake of a running house, which also counts what its senders send twice."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from watchword.ingest.intake import IdReader, Incoming, Intake
from watchword.ingest.occurrence import Occurrences
from watchword.ingest.ports import Receipt, Spool
from watchword.kit.clock import Clock
from watchword.model import Source, SourceStatus


class FrontDoor(Intake):
    """`Intake` for every connector, file and simulation."""

    def __init__(
        self,
        spool: Spool,
        clock: Clock,
        sources: Callable[[], Mapping[str, Source]],
        *,
        ids: Callable[[str], IdReader | None],
        max_record: int,
        tally: Callable[[Sequence[SourceStatus]], None],
    ) -> None:
        """Take `tally`, which adds to the sources' counts; the rest as `Intake`."""
        super().__init__(spool, clock, sources, ids=ids, max_record=max_record)
        self._tally = tally

    def accept(
        self, source: str, items: Sequence[Incoming], received: datetime | None = None, occurrences: Occurrences | None = None
    ) -> Receipt:
        """Keep the records, as `Intake.accept`, and count duplicates."""
        receipt = super().accept(source, items, received, occurrences)
        if receipt.duplicate:
            self._tally([SourceStatus(source, duplicate=receipt.duplicate)])
        return receipt
