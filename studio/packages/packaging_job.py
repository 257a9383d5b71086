"""The packaging of a model in a worker behind its own walls, away from the user's keys."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from studio.jobs import Arguments, Job, run_contained

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
    "preprocess_draft",
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
