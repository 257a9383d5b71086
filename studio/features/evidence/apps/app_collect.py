"""The collection of an app's records, from its folder or from the bundle of a version."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.api import InvalidData
from studio.datasets.output_settings import read_outputs
from studio.documents.dataclass_json import JsonValue, to_json
from studio.features.evidence.apps.app_record import AppRecord, RecordedModel, RecordedPart
from studio.packages.app_slot import AppFolder, AppModel, apps
from studio.registry import file_digest
from studio.runtime.apps.document import AppDocument, PartDocument
from studio.runtime.apps.graph import AppGraph, graph_of
from studio.runtime.apps.settings import AppError
from studio.runtime.shared.manifest import NAME, canonical

HIDDEN = "***"
_SECRET = re.compile("PASS|TOKEN|SECRET|KEY|CREDENTIAL|AUTH|PIN$|PWD")
_LOGIN = re.compile(r"(^|://)[^/\s@]*@")
_QUERY = re.compile(r"(://[^?\s]*\?).*", re.DOTALL)


def app_of_folder(path: Path, served: str) -> AppRecord:
    """Return the record of an app in a folder.

    Args:
        path: Its folder, or its ``app.toml``.
        served: SHA-256 of the model that the dossier is about first.

    Raises:
        InvalidData: when the app cannot be used, or has a file outside its folder.
    """
    files = apps().open(path)
    graph = files.graph({})
    models = tuple(_model(files, one) for one in files.models().values())
    limits, no_limits = files.limits()
    record = _record(graph, _with_served(models, served))
    return replace(
        record,
        digest=file_digest(files.folder / "app.toml"),
        limits=limits,
        no_limits=no_limits,
        no_test=_no_test(models, served),
    )


def app_of_bundle(folder: Path, served: str) -> AppRecord | None:
    """Return the record of the app in a bundle; None for a bundle without one.

    Raises:
        InvalidData: when its description cannot be read.
    """
    try:
        manifest: Mapping[str, Any] = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        raise InvalidData("The bundle of the version cannot be read.") from None
    if manifest.get("app") is None:
        return None
    try:
        graph = graph_of(AppDocument.from_json(manifest["app"]))
    except AppError as error:
        raise InvalidData(str(error), hint=error.hint or "See docs/apps.md.") from None
    digest = hashlib.sha256(canonical(manifest["app"])).hexdigest()
    no_limits = "a bundle has no README.md: studio evidence APPFOLDER shows it"
    models = tuple(_bundled(manifest, served))
    record = _record(graph, _with_served(models, served))
    no_test = "a bundle has no recordings: studio evidence APPFOLDER runs the test"
    return replace(record, digest=digest, origin="bundle", no_limits=no_limits, no_test=no_test)


def _record(graph: AppGraph, models: tuple[RecordedModel, ...]) -> AppRecord:
    document = graph.document
    return AppRecord(
        name=document.name,
        title=document.title,
        notice=document.notice,
        digest="",
        origin="folder",
        parts=tuple(_parts(graph)),
        models=models,
        pictures=document.preview.allowed,
        stored=(float(document.outbox.most), float(document.outbox.days)),
        own_code=tuple(dict.fromkeys(graph.own_code.values())),
    )


def _parts(graph: AppGraph) -> Iterator[RecordedPart]:
    document = graph.document
    rows: Sequence[tuple[str, Sequence[Any], Sequence[PartDocument]]] = (
        ("source", graph.sources, document.sources),
        ("step", graph.steps, document.steps),
        ("sink", graph.sinks, document.sinks),
    )
    for group, checked, written in rows:
        by_name = {one.name: one for one in written}
        for one in checked:
            part = by_name[one.name]
            settings = without_secrets(to_json(dict(part.settings)))
            summary = one.type.summary
            yield RecordedPart(part.name, group, part.type, summary, part.inputs, settings)


def without_secrets(settings: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return settings without passwords, tokens, and the logins and queries of addresses.

    A variable stays ``${NAME}``: its value belongs to a board.
    """
    return {
        key: HIDDEN if _SECRET.search(key.upper()) else _shown(value)
        for key, value in settings.items()
    }


def _shown(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _QUERY.sub(rf"\1{HIDDEN}", _LOGIN.sub(rf"\1{HIDDEN}@", value))
    if isinstance(value, Mapping):
        return without_secrets(value)
    return [_shown(one) for one in value] if isinstance(value, list) else value


def _model(files: AppFolder, parts: AppModel) -> RecordedModel:
    settings = None if parts.outputs is None else read_outputs(parts.outputs)
    return RecordedModel(
        parts.name,
        parts.model.relative_to(files.folder.resolve()).as_posix(),
        file_digest(parts.model),
        "" if settings is None else settings.task,
        () if settings is None else tuple(settings.refer),
    )


def _bundled(manifest: Mapping[str, Any], served: str) -> Iterator[RecordedModel]:
    for one in manifest.get("app_models", ()):
        file = one.get("file") or ""
        meaning = (one if file else manifest).get("outputs") or {}
        digest = manifest["files"].get(file, {}).get("sha256", "") if file else served
        name = file or str(manifest["model"]["file"])
        refer = tuple(map(float, meaning.get("refer") or ()))
        yield RecordedModel(str(one["name"]), name, digest, meaning.get("task", ""), refer)


def _with_served(models: tuple[RecordedModel, ...], served: str) -> tuple[RecordedModel, ...]:
    """Mark the model of the dossier; a quantized variant takes the place of the first."""
    known = [one.name for one in models if one.digest == served]
    first = (*known, *(one.name for one in models))[:1]
    return tuple(
        replace(one, served=True, digest=served or one.digest) if one.name in first else one
        for one in models
    )


def _no_test(models: tuple[RecordedModel, ...], served: str) -> str:
    if not models or any(one.digest == served for one in models):
        return ""
    return "the app's folder has another model in the place of this one"
