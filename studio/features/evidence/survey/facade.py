"""The evidence of a registry's models; its calls read files, and belong in the background."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.features.evidence.survey.views import PRESENT

if TYPE_CHECKING:
    from studio.features.evidence.explanations.results import ExplainResult
    from studio.features.evidence.form.forms import EvidenceForms
    from studio.features.evidence.incidents.incident_files import IncidentFiles
    from studio.features.evidence.survey.views import (
        EvidenceSurvey,
        MeasuredSamples,
        ModelEvidence,
        SamplePicture,
    )
    from studio.registry import VariantRecord
    from studio.workspace.services import Services


class Evidence:
    """The evidence about the models of a registry; what reads it is imported at the first call.

    Attributes:
        counts: Number of sections with evidence and of all, by the variants that were surveyed.
    """

    def __init__(self, services: Services) -> None:
        self._registry = services.registry
        self.counts: dict[int, tuple[int, int]] = {}

    @functools.cached_property
    def forms(self) -> EvidenceForms:
        """The answers of people."""
        from studio.features.evidence.form.forms import EvidenceForms

        return EvidenceForms(self._registry)

    @property
    def incidents(self) -> IncidentFiles:
        """The incidents of the registry's models."""
        from studio.features.evidence.incidents.incident_files import IncidentFiles

        return IncidentFiles(self._registry)

    @property
    def incident_kinds(self) -> tuple[tuple[str, str], ...]:
        """Ids and titles of the kinds of incidents, with the days for a report."""
        from studio.features.evidence.incidents.kinds import KIND_IDS, incident_rules

        rules = incident_rules()
        days = {name: f", {one.days} days" for name, one in rules.kinds.items()}
        return tuple((name, f"{rules.title(name)}{days.get(name, '')}") for name in KIND_IDS)

    def survey(self, variant: VariantRecord) -> EvidenceSurvey:
        """Return the sections about a variant with their states.

        Raises:
            StudioError: when the form or the incidents of the model are damaged.
        """
        from studio.features.evidence.survey.model_survey import read_survey

        found = read_survey(self._registry, self.forms, variant)
        self.counts[variant.id] = found.count(PRESENT), len(found.sections)
        return found

    def samples(self, variant: int) -> MeasuredSamples:
        """Return the samples of the newest measurement by group; none without one.

        Raises:
            InvalidData: when the table is damaged.
            OSError: when it is gone.
        """
        from studio.features.evidence.survey.samples import read_samples

        return read_samples(self._registry, variant)

    def models(self) -> tuple[ModelEvidence, ...]:
        """Return a line for each model, by name."""
        from studio.features.evidence.survey.models import read_models
        from studio.features.evidence.survey.overrides import exported_overrides

        return read_models(self._registry, self.forms, exported_overrides(self._registry))

    def pictures(self, result: ExplainResult) -> Mapping[str, SamplePicture]:
        """Return the pictures of explained samples by the names of their maps.

        Raises:
            OSError: when the file of maps is gone.
            ValueError: when it is damaged.
        """
        from studio.features.evidence.survey.pictures import read_pictures

        return read_pictures(result)
