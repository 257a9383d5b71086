"""The records of the steps that keep incidents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.features.evidence.incidents.incident_files import IncidentFiles
from studio.features.evidence.incidents.results import CLOSE, NOTE, IncidentResult
from studio.features.evidence.incidents.step import (
    CloseIncidentOptions,
    IncidentNoteOptions,
    IncidentReportOptions,
    OpenIncidentOptions,
)
from studio.features.evidence.names import with_model as with_subject
from studio.registry import ModelRef, Registry


def with_model(registry: Registry, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options with the model of a version or target.

    A target that is named as the model is the target that is meant.

    Raises:
        UsageError: when nothing has the name.
    """
    found = dict(with_subject(registry, given))
    found.pop("version", None)
    target = found.pop("served_by", None)
    if target and "happened" in found and not found.get("target"):
        found["target"] = target
    return found


def model_name(registry: Registry, model: ModelRef) -> str:
    """Return the name of the model of a variant."""
    return registry.variant(model.variant).model_name


def open_incident(registry: Registry, options: OpenIncidentOptions, folder: Path) -> IncidentResult:
    """Open the incident.

    Raises:
        UsageError: when a time, the kind or a text is not valid.
    """
    model = model_name(registry, options.model)
    opened = IncidentFiles(registry).open(
        model,
        options.title,
        options.text,
        options.by,
        options.happened,
        options.aware or "",
        options.decided,
        options.target or "",
    )
    return IncidentResult(model, opened)


def add_note(registry: Registry, options: IncidentNoteOptions, folder: Path) -> IncidentResult:
    """Add the note.

    Raises:
        UsageError: when the incident, the kind or a text is not valid.
    """
    model = model_name(registry, options.model)
    files, kind = IncidentFiles(registry), options.decided or ""
    return IncidentResult(
        model, files.add(model, options.number, NOTE, options.text, options.by, kind)
    )


def add_report(registry: Registry, options: IncidentReportOptions, folder: Path) -> IncidentResult:
    """Record the report.

    Raises:
        UsageError: when the incident, the day or a text is not valid.
    """
    model = model_name(registry, options.model)
    reported = IncidentFiles(registry).report(
        model,
        options.number,
        options.text,
        options.by,
        options.to,
        options.on or "",
        options.reference or "",
    )
    return IncidentResult(model, reported)


def close_incident(
    registry: Registry, options: CloseIncidentOptions, folder: Path
) -> IncidentResult:
    """Close the incident.

    Raises:
        UsageError: when the incident or a text is not valid, or it is closed already.
    """
    model = model_name(registry, options.model)
    files = IncidentFiles(registry)
    return IncidentResult(model, files.add(model, options.number, CLOSE, options.text, options.by))
