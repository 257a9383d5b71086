"""The packaging of a model in a worker behind its own walls, away from the user's keys."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.documents.dataclass_json import from_json
from studio.jobs import Job, run_contained
from studio.packages.results import PackageResult
from studio.packages.step import PACKAGE, PackageOptions


def package_contained(options: PackageOptions, job: Job) -> PackageResult:
    """Make a bundle below ``job.folder`` without running the model in this process.

    A worker that deploys has the network and the user's keys, so it must not parse a model.

    Where the inputs have not changed, it returns the bundle that they made before.

    Raises:
        StudioError: what the packaging said.
    """
    if options.numbering is not None and options.numbering.reusable is not None:
        return options.numbering.reusable
    parts = (options.labels, options.preprocess, options.outputs, options.dictionary, options.app)
    files = (Path(options.model.path), options.data, *parts, options.guard)

    def move_bundle(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        if result["new"]:
            shutil.move(result["bundle"], job.folder / "bundle")
            result["bundle"] = str(job.folder / "bundle")
        return result

    document = run_contained(
        "Package",
        PACKAGE.work,
        # The key is the user's and stays outside the walls, as does the place of the copy.
        replace(options, sign=None, out=None),
        tuple(file for file in files if file),
        move_bundle,
        job,
    )
    return from_json(PackageResult, document)
