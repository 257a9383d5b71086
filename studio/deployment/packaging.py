"""The packaging of a model that is deployed without a bundle, in a worker behind its own walls."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.jobs import Arguments, Job, run_contained
from studio.packages import Bundle
from studio.packages.signing import signature_of, write_signature

_OPTIONS = (
    "model",
    "data",
    "labels",
    "preprocess",
    "number",
    "known",
    "samples",
    "reference",
    "tolerance",
    "made",
    "latency",
    "embedding",
)
"""All that packaging takes but a key, which is the user's and stays outside the walls."""


def package_contained(arguments: Arguments, job: Job) -> dict[str, Any]:
    """Make a bundle below ``job.folder`` without running the model in this process.

    A worker that deploys has the network and the user's keys, so it must not parse a model.

    Raises:
        StudioError: what the packaging said.
    """
    files = [arguments["model"]["path"], *(arguments.get(name) for name in _OPTIONS[1:4])]

    def keep(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        if result["new"]:
            shutil.move(result["bundle"], job.folder / "bundle")
            result["bundle"] = str(job.folder / "bundle")
        return result

    return run_contained(
        "Package",
        "studio.packages.work:package",
        {name: arguments.get(name) for name in _OPTIONS},
        tuple(Path(file) for file in files if file),
        keep,
        job,
    )


def opened(packaged: Mapping[str, Any], key: str | None, job: Job) -> Bundle:
    """The bundle that packaging made or found; signed, where a key is named.

    Raises:
        StudioError: when the key cannot be used.
    """
    bundle = Bundle.open(Path(packaged["bundle"]))
    if not key or bundle.signature:
        return bundle
    if not packaged["new"]:
        return signed_copy(bundle, key, job)
    write_signature(bundle.folder, signature_of(bundle.text.encode(), Path(key)))
    return Bundle.open(bundle.folder)


def signed_copy(bundle: Bundle, key: str, job: Job) -> Bundle:
    """A copy below the job's folder of a bundle that belongs to somebody else, signed.

    Raises:
        StudioError: when the key cannot be used.
    """
    text, folder = signature_of(bundle.text.encode(), Path(key)), job.folder / "signed"
    shutil.copytree(bundle.folder, folder)
    folder.chmod(folder.stat().st_mode | stat.S_IWUSR)  # the store's are read-only
    write_signature(folder, text)
    return Bundle.open(folder)
