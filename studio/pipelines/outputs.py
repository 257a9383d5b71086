"""Output files of a pipeline's steps."""

from __future__ import annotations

from pathlib import Path

from studio.pipelines.pipeline import Pipeline
from studio.steps.catalogue import step as step_named
from studio.steps.overwrites import outputs

_REFERENCE = "${"


def pipeline_outputs(pipeline: Pipeline) -> list[Path]:
    """Return the output files of a pipeline that are known before it runs."""
    found = []
    for step in pipeline.steps:
        given = {
            name: str(pipeline.folder / Path(value).expanduser())
            for name, value in step.options.items()
            if isinstance(value, str) and _REFERENCE not in value
        }
        found += outputs(step_named(step.step), given)
    return found
