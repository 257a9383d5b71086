"""What the Evidence page shows, read in the background: survey, samples, and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.features.evidence.survey.facade import Evidence
from studio.features.evidence.survey.views import EvidenceSurvey, MeasuredSamples, SamplePicture

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace


class EvidenceLoader(QObject):
    """The evidence of the current variant.

    Signals:
        surveyed: Another survey is there, or none.
        sampled: Other samples are there.
        explained: The explanations can be drawn, with their pictures where they have any.
        failed: The error of a survey.

    Attributes:
        survey: What was read last; None without a model, and until it is read.
        samples: The labelled samples of the newest measurement by group.
    """

    surveyed = Signal()
    sampled = Signal()
    explained = Signal()
    failed = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._variant: int | None = None
        self._pictures: Mapping[str, SamplePicture] = {}
        self._maps = ""
        self.survey: EvidenceSurvey | None = None
        self.samples = MeasuredSamples()

    @property
    def pictures(self) -> Mapping[str, SamplePicture]:
        """The pictures of the newest explanations; none until they are read."""
        result = self.survey.explanations if self.survey is not None else None
        return self._pictures if result is not None and result.maps == self._maps else {}

    def read(self, variant: VariantRecord | None) -> None:
        """Read the evidence of a variant."""
        self._variant = variant.id if variant is not None else None
        if variant is None:
            self._take(None)
            return
        call = partial(self._workspace.service(Evidence).survey, variant)
        self._workspace.in_background(call, partial(self._surveyed, variant.id))

    def _surveyed(self, variant: int, found: EvidenceSurvey | Exception) -> None:
        if variant != self._variant:
            return
        if isinstance(found, Exception):
            self.failed.emit(found)
            self._take(None)
            return
        self._take(found)
        call = partial(self._workspace.service(Evidence).samples, variant)
        self._workspace.in_background(call, partial(self._sampled, variant))

    def _sampled(self, variant: int, found: MeasuredSamples | Exception) -> None:
        if variant != self._variant or self.survey is None:
            return
        self.samples = MeasuredSamples() if isinstance(found, Exception) else found
        self.sampled.emit()
        result = self.survey.explanations
        if result is None or result.maps == self._maps:
            self.explained.emit()
            return
        call = partial(self._workspace.service(Evidence).pictures, result)
        self._workspace.in_background(call, partial(self._drawn, result.maps))

    def _drawn(self, maps: str, found: Mapping[str, SamplePicture] | Exception) -> None:
        self._pictures = {} if isinstance(found, Exception) else found
        self._maps = maps
        self.explained.emit()

    def _take(self, survey: EvidenceSurvey | None) -> None:
        self.survey = survey
        self.surveyed.emit()
        if survey is None:
            self.samples = MeasuredSamples()
            self.sampled.emit()
            self.explained.emit()
