"""A version brought here: fetched, verified, opened, and packaged where it is no bundle of ours."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import ModelVersion, Refused, RegistrySession
from studio.jobs import Arguments, Job, run_contained
from studio.models.step import OpenOptions
from studio.packages import Bundle
from studio.packages.packaging_job import package_contained
from studio.registry import ModelRef, component, counters

_PULLED = "pulled"
_OPENED = "opened"


def fetch(
    session: RegistrySession, version: ModelVersion, arguments: Arguments, job: Job
) -> dict[str, Any]:
    """Fetch a version below ``job.folder``.

    Args:
        arguments: ``known``, from ``record.prepare``: the folders of bundles that are here.

    Returns:
        ``opened`` (what the step open gives) and ``packaged`` (what packaging gives).

    Raises:
        Refused: when the files are not those that were registered.
    """
    path = session.pull(version, job.folder / _PULLED, job)
    if path.is_dir():
        return _of_bundle(path, version, job)
    component(version.name, "The registry's model")
    opened = _open(path, version.name, job)
    return {"opened": opened, "packaged": _package(path, opened, version, arguments, job)}


def _of_bundle(path: Path, version: ModelVersion, job: Job) -> dict[str, Any]:
    bundle = Bundle.open(path)
    if version.release and version.release != bundle.digest:
        raise Refused(
            f"The files of version {version.version} of {version.name} are not those that were "
            "registered.",
            detail=f"registered {version.release}, found {bundle.digest}",
        )
    component(bundle.name, "The model of the bundle")
    counters.foreign(bundle.counter)
    model = path / str(bundle.raw["model"]["file"])
    packaged = {
        "bundle": str(path),
        "digest": bundle.digest,
        "bytes": bundle.size,
        "name": bundle.name,
        "version": bundle.version,
        "counter": bundle.counter,
        "created": str(bundle.raw.get("created") or ""),
        "new": True,
    }
    return {"opened": _open(model, bundle.name, job), "packaged": packaged}


def _open(model: Path, name: str, job: Job) -> dict[str, Any]:
    def keep(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        shutil.move(folder, job.folder / _OPENED)
        folder.mkdir()  # the runner removes it
        return result

    return run_contained(
        "Open",
        "studio.models.work:open_model",
        OpenOptions(model, name),
        (model.parent,),
        keep,
        job,
    )


def _package(
    path: Path, opened: dict[str, Any], version: ModelVersion, arguments: Arguments, job: Job
) -> dict[str, Any]:
    number = {
        "version": int(version.version),
        "counter": int(time.time()),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    reference = ModelRef(
        path=str(path),
        digest=str(opened.get("digest") or ""),
        variant=0,
        model=0,
        model_name=version.name,
        name=opened["precision"],
        format=opened["format"],
        precision=opened["precision"],
    )
    known = arguments.get("known") or []
    given = {"model": reference.to_json(), "number": number, "known": known, "samples": 8}
    return package_contained(given, job)
