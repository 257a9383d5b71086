"""The models that the names of versions, targets and folders of evidence stand for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.features.evidence.folder.manifest import EvidenceList
from studio.features.evidence.records.subject import find_subject
from studio.packages.app_slot import is_app, model_files
from studio.registry import Registry


def with_model(registry: Registry, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of ``evidence`` with the model of a version, a target or an app.

    Raises:
        UsageError: when nothing has the name.
    """
    return with_version(registry, _with_further(given))


def with_version(registry: Registry, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options with the model of a version or target, and the version.

    Raises:
        UsageError: when nothing has the name.
    """
    text = given.get("model")
    if not isinstance(text, str) or text.startswith("#") or _is_path(text):
        return given
    named = find_subject(registry, text)
    found: dict[str, Any] = {"model": f"#{named.variant.id}"}
    if named.version is not None:
        found["version"] = named.version.digest
    if named.target:
        found["served_by"] = named.target
    return {**given, **found}


def _with_further(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options with the further models of an app, which are opened like the first.

    Raises:
        InvalidData: when the app cannot be used.
    """
    app = given.get("app")
    if not isinstance(app, str) or given.get("further") or not is_app(Path(app).expanduser()):
        return given
    models = model_files(Path(app).expanduser())
    return {**given, "further": [str(path) for path in dict.fromkeys(models[1:])]}


def with_model_of_folder(registry: Registry, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of ``evidence-verify`` with the model that the folder is about.

    Raises:
        InvalidData: when the folder is no evidence.
    """
    folder = given.get("folder")
    if not given.get("again") or given.get("model") is not None or not isinstance(folder, str):
        return given
    if not Path(folder).expanduser().is_dir():
        return given  # the check of the options says so
    digest = EvidenceList.read(Path(folder).expanduser()).subject.digest
    variant = registry.variant_by_digest(digest)
    return given if variant is None else {**given, "model": f"#{variant.id}"}


def _is_path(text: str) -> bool:
    path = Path(text).expanduser()
    return path.is_file() or path.is_dir()
