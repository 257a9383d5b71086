"""The part of a dossier about an app: its records, its test, and its further models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.documents.dataclass_json import to_json
from studio.features.evidence.apps.app_facts import app_facts
from studio.features.evidence.apps.app_record import APP_FILE, AppMaterial, FurtherModel
from studio.features.evidence.apps.app_test import (
    BOARD_FILE,
    EVENTS_FILE,
    EXPECTED_FILE,
    TestedApp,
    board_events,
    not_tested,
    tested,
)
from studio.features.evidence.apps.further_models import NamedStatement, joined, place_of
from studio.features.evidence.bom.parts import AppPart
from studio.features.evidence.dossier.model_facts import model_facts
from studio.features.evidence.dossier.quality_facts import quality_facts
from studio.features.evidence.dossier.statement import Material, Statement
from studio.features.evidence.measured_files import write_measured
from studio.features.evidence.measurements import Part, measured
from studio.features.evidence.records.files import write_record, write_records
from studio.features.evidence.step import EvidenceOptions
from studio.jobs import Job
from studio.projects.results import Project

_APP_TEST = "app-test"


def with_app(
    statements: tuple[Statement, ...],
    options: EvidenceOptions,
    app: AppMaterial,
    material: Material,
    job: Job,
) -> tuple[Statement, ...]:
    """Return the statements of the first model with those of the app and its further models."""
    record = app.record
    write_record(material.folder / APP_FILE, to_json(record))
    material.files[APP_FILE] = "the app: parts, models, notice and limits"
    found = _test(options, app, job)
    board = None if options.events is None else board_events(options.events)
    _write_events(material, found, board)
    further = [
        NamedStatement(model.name, statement)
        for model in app.further
        for statement in _further(options, model, material, job)
    ]
    first = next((one.name for one in record.models if one.served), record.name)
    return (*joined(first, statements, further), *app_facts(material, record, found, board))


def app_part(app: AppMaterial | None) -> AppPart | None:
    """Return what bills of materials state about an app."""
    if app is None:
        return None
    record = app.record
    further = tuple((one.name, one.digest) for one in record.models if not one.served)
    return AppPart(record.name, record.title, record.digest, further, record.own_code)


def _test(options: EvidenceOptions, app: AppMaterial, job: Job) -> TestedApp:
    """Run the test of an app where it can run."""
    if app.folder is None or app.record.no_test:
        return not_tested(app.record.no_test or "the folder of the app is not here")
    return tested(app.folder, options.allow_code, Part(job, 0.95, 0.96, _APP_TEST))


def _write_events(material: Material, found: TestedApp, board: list[dict[str, Any]] | None) -> None:
    lists = {
        EXPECTED_FILE: (
            "events that the app's test expects",
            None if found.why else found.expected,
        ),
        EVENTS_FILE: ("events of the app's test", None if found.why else found.found),
        BOARD_FILE: ("decisions and overrides of a board", board),
    }
    for name, (title, rows) in lists.items():
        if rows is not None:
            write_record(material.folder / name, list(rows))
            material.files[name] = title


def _further(
    options: EvidenceOptions, model: FurtherModel, material: Material, job: Job
) -> Iterator[Statement]:
    """Measure a further model on the data of its project; yield the statements about it."""
    place = place_of(model.name)
    folder = material.folder / place
    folder.mkdir(parents=True)
    own = Material(model.records, folder, material.code)
    own.files.update(write_records(model.records, folder))
    its = _options_of(options, model)
    found = measured(its, model.records, folder, Part(job, 0.95, 0.95, f"model-{model.name}"))
    write_measured(found, its, own)
    material.files |= {
        f"{place}/{name}": f"{model.name}: {what}" for name, what in own.files.items()
    }
    yield from model_facts(own)
    yield from quality_facts(own, found)


def _options_of(options: EvidenceOptions, model: FurtherModel) -> EvidenceOptions:
    """Return the options of the measurements, with the data of another model's project."""
    project = model.records.project
    return replace(
        options,
        model=model.records.variant.ref,
        data=_path(project, "heldout") or _path(project, "evaluation"),
        groups=_path(project, "groups"),
        labels=_path(project, "labels"),
        label_map=_path(project, "label_map"),
        dictionary=_path(project, "dictionary"),
        outputs=_path(project, "outputs"),
        by=(),
    )


def _path(project: Project, name: str) -> Path | None:
    found = project.usable(name)
    return Path(found[0]) if found else None
