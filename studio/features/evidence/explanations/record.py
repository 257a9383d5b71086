"""Registry records of explanations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import to_json
from studio.features.evidence.explanations.gradient_source import FORMAT, not_onnx
from studio.features.evidence.explanations.method_choice import ATTENTION, GRADIENTS
from studio.features.evidence.explanations.report import report
from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.explanations.step import ExplainOptions
from studio.registry import ModelRef, Registry, below
from studio.settings import full_path, write_atomically

SUFFIXES = (".png", ".html", ".json")


def prepared(registry: Registry, options: ExplainOptions) -> ExplainOptions:
    """Refuse what no explanation can have, before anything runs.

    Raises:
        UsageError: for a drawing with another suffix than those of ``SUFFIXES``, and for integrated
            gradients or attention of another format than ONNX.
    """
    if options.method in (GRADIENTS, ATTENTION) and options.model.format != FORMAT:
        raise not_onnx(options.model.format)
    if options.out is not None and options.out.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{options.out.name} is no drawing: its name ends with {', '.join(SUFFIXES)}."
        )
    return options


def explained(
    registry: Registry, options: ExplainOptions, result: ExplainResult, folder: Path
) -> ExplainResult:
    """Keep the maps and the drawing, write the copy, and give the final result.

    Raises:
        StudioError: when the copy cannot be written.
    """
    drawing, maps = below(folder, result.output), below(folder, result.maps)
    picture = drawing.read_bytes()
    kept = {"drawing": registry.adopt(drawing), "maps": registry.adopt(maps)}
    final = replace(result, output=str(kept["drawing"].path), maps=str(kept["maps"].path))
    if options.out is not None:
        output = full_path(options.out)
        final = replace(final, output=str(output))
        _write(output, final, picture)
    values = to_json(options)
    given = {name: value for name, value in values.items() if value not in (None, [], "")}
    given["model"] = _title(options.model)
    given["against"] = [_title(one) for one in options.against]
    registry.add_run("explain", options.model.variant, given, to_json(final), kept)
    return final


def _write(output: Path, result: ExplainResult, picture: bytes) -> None:
    suffix = output.suffix.lower()
    if suffix == ".html":
        content = report(result, picture).encode()
    elif suffix == ".json":
        content = (json.dumps(to_json(result), indent=1) + "\n").encode()
    else:
        content = picture
    try:
        write_atomically(output, content)
    except OSError as error:
        raise StudioError(f"{output} could not be written: {error.strerror}.") from None


def _title(model: ModelRef) -> str:
    return f"{model.model_name}:{model.name}"
