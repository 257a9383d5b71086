"""The measurements of an evidence folder made again, with the model and the data."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy

from studio.api import InvalidData
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.features.evidence.apps.app_test import EVENTS_FILE, event_difference, tested
from studio.features.evidence.dossier.model_facts import VARIANT_FILE
from studio.features.evidence.measurements import (
    CORRUPTED_FILE,
    MAPS_FILE,
    SAMPLES_FILE,
    Part,
    measured,
)
from studio.features.evidence.recompute import EvidenceFolder, equal, read_maps
from studio.features.evidence.records.files import REQUEST_FILE
from studio.features.evidence.records.request import MeasurementRequest
from studio.features.evidence.results import DIFFERS, RECOMPUTED, RUN_AGAIN, CheckedFigure, Figure
from studio.features.evidence.step import EvidenceOptions, VerifyOptions
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.lazy_dataclass import dataclass
from studio.models.opening import read_model
from studio.models.results import ModelFigures
from studio.registry import ModelRef, file_digest, folder_digest

CLOSE = 1e-4
"""Largest difference of two figures of a sample: another processor sums in another order."""

_FOLDER = "again"


@dataclass(frozen=True, slots=True)
class Again:
    """What the measurements gave now.

    Attributes:
        files: By the name of a file why it differs; empty where it does not.
        model: Figures of the model's file; None where it was not read.
        notes: What could not be made again, and why.
    """

    files: Mapping[str, str]
    model: ModelFigures | None
    notes: tuple[str, ...]


def measure_again(options: VerifyOptions, job: Job) -> Again:
    """Run the model of a folder on its data, by the request in the folder.

    Raises:
        InvalidData: when the folder's request cannot be read.
        StudioError: when the model cannot be read.
    """
    events, notes = _events_again(options, job)
    found = _models_again(options, job)
    return replace(found, files={**found.files, **events}, notes=(*found.notes, *notes))


def _events_again(options: VerifyOptions, job: Job) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return why events of the app's test differ now, and what could not be run."""
    if not (options.folder / EVENTS_FILE).is_file():
        return {}, ()
    if options.app is None:
        return {}, ("The app is not here, so its test did not run again: pass --app FOLDER.",)
    found = tested(options.app, options.allow_code, Part(job, 0, 0.01, "again-app"))
    if found.why:
        return {}, (found.why,)
    before = EvidenceFolder(options.folder).json(EVENTS_FILE)
    why = event_difference(before, to_json(found.found))
    return {EVENTS_FILE: why}, ()


def _models_again(options: VerifyOptions, job: Job) -> Again:
    records = options.records
    if records is None:
        return Again({}, None, ("The model is not here: pass --model FILE.",))
    found = read_model(Path(records.variant.ref.path), Phase(job, 0, 0.05)).figures()
    folder = EvidenceFolder(options.folder)
    try:
        request = from_json(MeasurementRequest, folder.json(REQUEST_FILE))
    except InvalidDocument as error:
        raise InvalidData(f"{REQUEST_FILE} is damaged: {error}") from None
    data = options.data
    problem = _problem(request, data)
    if problem:
        return Again({}, found, (problem,))
    place = job.folder / _FOLDER
    (place / "records").mkdir(parents=True)
    made = measured(_request_options(request, options, records.variant.ref), records, place, job)
    names = [SAMPLES_FILE, CORRUPTED_FILE, MAPS_FILE]
    listed = [name for name in names if (options.folder / name).is_file()]
    files = {name: _difference(name, folder, EvidenceFolder(place)) for name in listed}
    return Again(files, found, tuple(made.problems.values()))


def with_again(
    figures: Sequence[Figure], checked: Sequence[CheckedFigure], again: Again
) -> tuple[CheckedFigure, ...]:
    """Return the outcomes with those of the figures that were measured again."""
    return tuple(_outcome(*pair, again) for pair in zip(figures, checked, strict=True))


def _outcome(figure: Figure, checked: CheckedFigure, again: Again) -> CheckedFigure:
    if checked.state != RECOMPUTED:
        return checked
    if figure.file == VARIANT_FILE and again.model is not None:
        now = getattr(again.model, figure.id.partition(".")[2], None)
        if now is None:
            return checked
        return replace(
            checked, state=RUN_AGAIN if equal(float(now), figure.value) else DIFFERS, found=now
        )
    if figure.file not in again.files:
        return checked
    why = again.files[figure.file]
    return replace(checked, state=DIFFERS if why else RUN_AGAIN, why=why)


def _problem(request: MeasurementRequest, data: Path | None) -> str:
    """Return why the measurements cannot be made again; empty where they can."""
    if not request.data:
        return "Nothing was measured on data, so nothing is measured again."
    if data is None or not data.exists():
        return f"The data {request.data} is not here, or was deleted: pass --data."
    digest = folder_digest(data) if data.is_dir() else file_digest(data)
    if digest != request.digest:
        return f"{data.name} has other contents than the data that was measured on."
    return ""


def _request_options(
    request: MeasurementRequest, options: VerifyOptions, model: ModelRef
) -> EvidenceOptions:
    return EvidenceOptions(
        model=model,
        out=Path(),
        data=options.data,
        groups=options.groups,
        labels=options.labels,
        label_map=options.label_map,
        dictionary=options.dictionary,
        outputs=options.outputs,
        samples=request.samples,
        by=request.by,
        explanations=request.explanations,
        evaluations=request.evaluations,
        corrupted=request.corrupted,
    )


def _difference(name: str, before: EvidenceFolder, now: EvidenceFolder) -> str:
    try:
        pair = (before.content(name), now.content(name))
    except InvalidData as error:
        return error.message
    if pair[0] == pair[1]:
        return ""
    return _maps_difference(*pair) if name.endswith(".npz") else _table_difference(*pair)


def _table_difference(before: bytes, now: bytes) -> str:
    """Return the first cell in which two tables differ by more than rounding."""
    tables = [
        list(csv.reader(io.StringIO(one.decode("utf-8", "replace")))) for one in (before, now)
    ]
    if [len(table) for table in tables] != [len(tables[0])] * 2 or tables[0][:1] != tables[1][:1]:
        return "the table has other rows or columns now"
    for row, (one, other) in enumerate(zip(*tables, strict=True)):
        for place, (first, second) in enumerate(zip(one, other, strict=False)):
            if not _is_close(first, second):
                return f"{tables[0][0][place]} of {one[0]} (row {row + 1}) was {first}, is {second}"
    return ""


def _is_close(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = _numbers(one), _numbers(other)
    try:
        pairs = [(float(a), float(b)) for a, b in zip(first, second, strict=True) if a != b]
    except ValueError:
        return False
    return all(math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE) for a, b in pairs)


def _numbers(cell: str) -> list[str]:
    """Return the parts of a cell: probabilities, or boxes between semicolons."""
    return cell.replace(";", " ;").split()


def _maps_difference(before: bytes, now: bytes) -> str:
    """Return the first map that differs by more than rounding."""
    first, second = _maps(before), _maps(now)
    if sorted(first) != sorted(second):
        return "there are other maps now"
    for name, values in first.items():
        scale = float(numpy.abs(values).max()) or 1.0
        if values.shape != second[name].shape:
            return f"the map {name} has another shape now"
        if float(numpy.abs(values - second[name]).max()) > 10 * CLOSE * scale:
            return f"the map {name} is another one now"
    return ""


def _maps(content: bytes) -> dict[str, Any]:
    try:
        return read_maps(content)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        return {}
