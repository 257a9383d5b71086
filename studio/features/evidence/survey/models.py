"""The evidence of all models in a line each, by queries that take a millisecond a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from studio.api import StudioError
from studio.documents.dataclass_json import JsonValue
from studio.features.evidence.form.forms import EvidenceForms
from studio.features.evidence.frameworks.subjects import FORM, subjects
from studio.features.evidence.groups.results import GroupsResult
from studio.features.evidence.incidents.incident_files import IncidentFiles
from studio.features.evidence.incidents.results import OPEN
from studio.features.evidence.market.overrides import (
    RecordedOverrides,
    not_recorded,
    override_count,
)
from studio.features.evidence.records.records import DECISIONS, ReleaseDetails
from studio.features.evidence.robustness.results import RobustnessResult
from studio.features.evidence.survey.model_survey import last_result
from studio.features.evidence.survey.views import ModelEvidence
from studio.lazy_dataclass import dataclass
from studio.models.results import ModelFigures
from studio.projects.answers import EvidenceForm
from studio.projects.licence import licence_file
from studio.registry import ModelRecord, Registry, ReleaseRecord, VariantRecord, VersionRecord
from studio.runtime.shared.manifest import SIGNATURE

_MOST_RELEASES = 5000
_ROLLED_BACK = "rolled back"
_ALWAYS = frozenset({"model.summary", "model.lineage", "components", "security.intake"})


@dataclass(frozen=True, slots=True)
class _ModelFacts:
    """What the registry has of a model."""

    variant: VariantRecord
    original: VariantRecord
    version: VersionRecord | None
    releases: Sequence[ReleaseRecord]
    groups: GroupsResult | None
    robustness: RobustnessResult | None
    profile: Mapping[str, JsonValue]


def read_models(
    registry: Registry, forms: EvidenceForms, overrides: RecordedOverrides = not_recorded
) -> tuple[ModelEvidence, ...]:
    """Return a line for each model, by name.

    Args:
        overrides: Numbers of overrides of a model, one for each record of them.
    """
    incidents = IncidentFiles(registry)
    variants = {
        model: tuple(rows)
        for model, rows in groupby(
            sorted(registry.variants(), key=lambda one: one.model), lambda one: one.model
        )
    }
    versions: dict[int, VersionRecord] = {}
    models_of: dict[int, int] = {}
    for version in registry.versions():
        versions.setdefault(version.model, version)
        models_of[version.id] = version.model
    releases: dict[int, list[ReleaseRecord]] = {}
    for release in registry.releases(most=_MOST_RELEASES):
        if release.version in models_of:
            releases.setdefault(models_of[release.version], []).append(release)
    running = _running(registry)
    lines = (
        _with_operation(
            _line(
                registry,
                forms,
                model,
                _facts(
                    registry, variants[model.id], versions.get(model.id), releases.get(model.id, ())
                ),
                running.get(model.name, ()),
            ),
            incidents,
            overrides,
        )
        for model in registry.models()
        if model.id in variants
    )
    return tuple(sorted(lines, key=lambda one: one.name))


def _running(registry: Registry) -> Mapping[str, tuple[str, ...]]:
    """Return the targets that serve each model, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for target, release in sorted(registry.history.running().items()):
        name = release.facts.name or ""
        found[name] = (*found.get(name, ()), target)
    return found


def _facts(
    registry: Registry,
    variants: Sequence[VariantRecord],
    version: VersionRecord | None,
    releases: Sequence[ReleaseRecord],
) -> _ModelFacts:
    by_number = {one.id: one for one in variants}
    variant = by_number.get(version.variant) if version is not None else None
    variant = variant or variants[-1]
    original = variant
    while original.parent in by_number:
        original = by_number[original.parent]
    profiles = registry.runs("profile", variant.id, 1) or registry.runs("profile", original.id, 1)
    return _ModelFacts(
        variant,
        original,
        version,
        releases,
        last_result(registry, "groups", GroupsResult, variant.id)[0],
        last_result(registry, "robustness", RobustnessResult, variant.id)[0],
        profiles[0].result if profiles else {},
    )


def _line(
    registry: Registry,
    forms: EvidenceForms,
    model: ModelRecord,
    facts: _ModelFacts,
    targets: tuple[str, ...],
) -> ModelEvidence:
    try:
        form = forms.of(model.name)
    except StudioError:
        form = EvidenceForm()  # the page of the model reports the damage
    answered = {name for name in form.latest() if name in subjects()}
    questions = {one.id for one in subjects().values() if one.source == FORM}
    present = answered | _recorded(registry, facts)
    worst = facts.groups.worst_group if facts.groups else None
    calibration = facts.groups.calibration if facts.groups else None
    written = registry.runs("evidence", facts.variant.id, 1)
    return ModelEvidence(
        name=model.name,
        variant=facts.variant.id,
        variant_name=facts.variant.name,
        version=facts.version.number if facts.version else None,
        present=len(present),
        sections=len(subjects()),
        open=len(questions - answered),
        worst_group=f"{worst.column}: {worst.group}" if worst else "",
        worst=worst.value if worst else None,
        low=worst.low if worst else None,
        high=worst.high if worst else None,
        is_below=bool(facts.groups and not facts.groups.passed),
        ece=calibration.ece if calibration else None,
        robustness=facts.robustness.robustness.worst if facts.robustness else None,
        targets=targets,
        rollbacks=sum(one.state == _ROLLED_BACK for one in facts.releases),
        evidence=written[0].created if written else "",
    )


def _with_operation(
    line: ModelEvidence, incidents: IncidentFiles, overrides: RecordedOverrides
) -> ModelEvidence:
    """Return a line with what persons recorded in operation: overrides and incidents."""
    count = override_count(overrides(line.name))
    try:
        found = incidents.of(line.name)
    except StudioError:
        return replace(line, overrides=count, incidents_problem=True)
    left = [one.clock.days for one in found if one.clock.days is not None]
    return replace(
        line,
        overrides=count,
        incidents=sum(one.state == OPEN for one in found) if found else None,
        days_left=min(left, default=None),
    )


def _has_metric(registry: Registry, variant: VariantRecord) -> bool:
    runs = (registry.runs(step, variant.id, 1) for step in ("evaluate", "quantize"))
    return any(run.result.get("metric") for newest in runs for run in newest)


def _recorded(registry: Registry, facts: _ModelFacts) -> set[str]:
    """Return the subjects that records answer, as the survey of a variant finds them."""
    variant, groups = facts.variant, facts.groups
    details = [ReleaseDetails.read(one.details) for one in facts.releases]
    source = facts.original.source_file
    both = {variant.id, facts.original.id}
    exported = any(registry.runs(DECISIONS, one, 1) for one in both)
    found = {
        "licence": bool(ModelFigures.read(variant.summary).licence) or _has_licence(source),
        "changes": bool(facts.releases or registry.ledger.moves(variant.model)),
        "data.calibration": variant.step != "quantize" or _has_data(registry, variant),
        "data.evaluation": groups is not None,
        "quality.metrics": groups is not None or _has_metric(registry, variant),
        "quality.groups": bool(groups and groups.groups),
        "quality.calibration": bool(groups and groups.calibration),
        "quality.robustness": facts.robustness is not None,
        "explanations": bool(registry.runs("explain", variant.id, 1)),
        "performance.latency": facts.profile.get("mode") == "latency",
        "energy": any(_has_energy(_rows(facts.profile))),
        "deployment.targets": bool(facts.releases),
        "deployment.trials": any(one.soak and one.soak.decision is not None for one in details),
        "logs.export": exported or any(one.log is not None for one in details),
        "oversight.overrides": exported,
        "monitoring.records": any(registry.runs("monitor", one, 1) for one in both),
        "security.signing": bool(
            facts.version
            and facts.version.variant == variant.id
            and (facts.version.path / SIGNATURE).is_file()
        ),
    }
    return set(_ALWAYS) | {name for name, holds in found.items() if holds}


def _has_licence(source: Path | None) -> bool:
    return source is not None and licence_file(source.parent) is not None


def _has_data(registry: Registry, variant: VariantRecord) -> bool:
    action = registry.ledger.producer(variant)
    inputs = action.result.get("inputs") if action is not None else None
    return isinstance(inputs, Mapping) and bool(inputs.get("data"))


def _rows(profile: Mapping[str, JsonValue]) -> Sequence[JsonValue]:
    rows = profile.get("runs")
    return rows if isinstance(rows, list) else []


def _has_energy(rows: Iterable[JsonValue]) -> Iterable[bool]:
    return (isinstance(one, Mapping) and one.get("energy") is not None for one in rows)
