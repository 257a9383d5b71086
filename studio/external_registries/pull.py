"""The pull of a version: fetched, verified, opened, and packaged unless it is a bundle."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import ModelVersion, Refused, RegistrySession
from studio.documents.dataclass_json import from_json
from studio.external_registries.step import FetchedBundle, FetchedFiles
from studio.jobs import Job, run_contained
from studio.lazy_dataclass import dataclass
from studio.models.results import OpenResult
from studio.models.step import OPEN, OpenOptions
from studio.packages import Bundle
from studio.packages.packaging_job import package_contained
from studio.packages.signing import signed_by
from studio.packages.step import BundleNumber, Numbering, PackageOptions
from studio.registry import ModelRef, component, counters

_PULLED = "pulled"
_OPENED = "opened"
_MOST_DIGITS = 10


def fetch(
    session: RegistrySession,
    version: ModelVersion,
    known: Iterable[Path],
    job: Job,
    signers: Path | None = None,
) -> FetchedFiles:
    """Fetch the files of a version below ``job.folder``.

    Args:
        known: Folders of local bundles.
        signers: Signers of which one must have signed it, in the format of ssh-keygen.

    Raises:
        Refused: when the files differ from the registered ones, or no allowed signer has signed
            them.
    """
    path = session.pull(version, job.folder / _PULLED, job)
    if signers is not None:
        _require_signer(path, version, signers)
    if path.is_dir():
        return _of_bundle(path, version, job)
    component(version.name, "The registry's model")
    opened = _open(path, version.name, job)
    return FetchedFiles(opened, _package(path, opened, version, known, job))


def _require_signer(path: Path, version: ModelVersion, signers: Path) -> None:
    signed, text = signed_by(path, signers) if path.is_dir() else (False, "no bundle")
    if not signed:
        raise Refused(
            f"Version {version.version} of {version.name} has no signature of an allowed signer.",
            detail=text,
        )


@dataclass(frozen=True, slots=True)
class _ModelFile:
    file: str


@dataclass(frozen=True, slots=True)
class _Manifest:
    model: _ModelFile
    created: str | None = None


def _of_bundle(path: Path, version: ModelVersion, job: Job) -> FetchedFiles:
    bundle = Bundle.open(path)
    if version.release and version.release != bundle.digest:
        raise Refused(
            f"The files of version {version.version} of {version.name} are not those that were "
            "registered.",
            detail=f"registered {version.release}, found {bundle.digest}",
        )
    component(bundle.name, "The model of the bundle")
    counters.foreign(bundle.counter)
    manifest = from_json(_Manifest, bundle.raw)
    packaged = FetchedBundle(
        bundle=str(path),
        digest=bundle.digest,
        name=bundle.name,
        version=bundle.version,
        counter=bundle.counter,
        created=manifest.created or "",
    )
    return FetchedFiles(_open(path / manifest.model.file, bundle.name, job), packaged)


def _open(model: Path, name: str, job: Job) -> OpenResult:
    def store(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        shutil.move(folder, job.folder / _OPENED)
        folder.mkdir()  # the runner removes it
        return result

    options = OpenOptions(model, name)
    return from_json(
        OpenResult, run_contained("Open", OPEN.work, options, (model.parent,), store, job)
    )


def _package(
    path: Path, opened: OpenResult, version: ModelVersion, known: Iterable[Path], job: Job
) -> FetchedBundle:
    created = datetime.now(UTC).isoformat(timespec="seconds")
    number = BundleNumber(_number(version.version), int(time.time()), created)
    reference = ModelRef(
        path=str(path),
        digest="",
        variant=0,
        model=0,
        model_name=version.name,
        name=opened.precision,
        format=opened.format,
        precision=opened.precision,
    )
    options = PackageOptions(model=reference, numbering=Numbering(number, tuple(known)))
    made = package_contained(options, job)
    return FetchedBundle(made.bundle, made.digest, made.name, made.version, made.counter)


def _number(version: str) -> int:
    """Return the number in a version; 1 for a digest or another text."""
    text = version.partition("-")[0]
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 1
