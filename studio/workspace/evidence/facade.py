"""The evidence of a registry's models; its calls read files, and belong in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.workspace.evidence.views import PRESENT

if TYPE_CHECKING:
    from studio.evidence.explanations.results import ExplainResult
    from studio.evidence.form.forms import EvidenceForms
    from studio.evidence.incidents.incident_files import IncidentFiles
    from studio.registry import Registry, VariantRecord
    from studio.workspace.evidence.views import (
        EvidenceSurvey,
        MeasuredSamples,
        ModelEvidence,
        SamplePicture,
    )


class Evidence:
    """The evidence about the models of a registry; what reads it is imported at the first call.

    Attributes:
        counts: Number of sections with evidence and of all, by the variants that were surveyed.
    """

    def __init__(self, registry: Registry, forms: EvidenceForms) -> None:
        self._registry, self._forms = registry, forms
        self.counts: dict[int, tuple[int, int]] = {}

    @property
    def incidents(self) -> IncidentFiles:
        """The incidents of the registry's models."""
        from studio.evidence.incidents.incident_files import IncidentFiles

        return IncidentFiles(self._registry)

    @property
    def incident_kinds(self) -> tuple[tuple[str, str], ...]:
        """Ids and titles of the kinds of incidents, with the days for a report."""
        from studio.evidence.incidents.kinds import KIND_IDS, incident_rules

        rules = incident_rules()
        days = {name: f", {one.days} days" for name, one in rules.kinds.items()}
        return tuple((name, f"{rules.title(name)}{days.get(name, '')}") for name in KIND_IDS)

    def survey(self, variant: VariantRecord) -> EvidenceSurvey:
        """Return the sections about a variant with their states.

        Raises:
            StudioError: when the form or the incidents of the model are damaged.
        """
        from studio.workspace.evidence.survey import read_survey

        found = read_survey(self._registry, self._forms, variant)
        self.counts[variant.id] = found.count(PRESENT), len(found.sections)
        return found

    def samples(self, variant: int) -> MeasuredSamples:
        """Return the samples of the newest measurement by group; none without one.

        Raises:
            InvalidData: when the table is damaged.
            OSError: when it is gone.
        """
        from studio.workspace.evidence.samples import read_samples

        return read_samples(self._registry, variant)

    def models(self) -> tuple[ModelEvidence, ...]:
        """Return a line for each model, by name."""
        from studio.workspace.evidence.models import read_models
        from studio.workspace.evidence.overrides import exported_overrides

        return read_models(self._registry, self._forms, exported_overrides(self._registry))

    def pictures(self, result: ExplainResult) -> Mapping[str, SamplePicture]:
        """Return the pictures of explained samples by the names of their maps.

        Raises:
            OSError: when the file of maps is gone.
            ValueError: when it is damaged.
        """
        from studio.workspace.evidence.pictures import read_pictures

        return read_pictures(result)
