"""Overrides of models by persons, from the newest export of each target's decisions."""

from __future__ import annotations

from collections.abc import Iterable

from studio.deployment.decisions.results import ExportedDecisions
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.features.evidence.market.overrides import RecordedOverrides
from studio.features.evidence.records.records import DECISIONS
from studio.registry import Registry

_MOST_EXPORTS = 500


def exported_overrides(registry: Registry) -> RecordedOverrides:
    """Return a function that gives the overrides of a model, a number for each target."""
    found: dict[str, dict[str, int]] = {}
    seen: set[str] = set()
    for run in registry.runs(DECISIONS, most=_MOST_EXPORTS):
        try:
            export = from_json(ExportedDecisions, run.result)
        except InvalidDocument:
            continue  # of another version
        if export.target in seen:
            continue
        seen.add(export.target)
        for one in export.models:
            model = found.setdefault(one.model, {})
            model[export.target] = model.get(export.target, 0) + one.overrides

    def recorded(model: str) -> Iterable[int]:
        return found.get(model, {}).values()

    return recorded
