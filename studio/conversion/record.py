"""The variant that the registry keeps of a converted model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.conversion.results import ConversionResult
from studio.conversion.step import ConvertOptions
from studio.conversion.work import FOLDER
from studio.documents.dataclass_json import to_json
from studio.models.record import keep_opened
from studio.registry import Registry, below
from studio.registry.copies import Copy

STEP = "convert"


def converted(
    registry: Registry, options: ConvertOptions, result: ConversionResult, folder: Path
) -> ConversionResult:
    """Add the model, whose project is found next to its source, and copy it to ``out``.

    Raises:
        StudioError: when the copy cannot be written; nothing is added then.
    """
    assert result.opened is not None
    made = below(folder / FOLDER, result.output)
    copy = Copy.begin(made, str(options.out) if options.out else None)
    opened = replace(result.opened, source=str(made))
    variant = keep_opened(registry, opened, folder, STEP, {"model": str(options.source)})
    registry.opened_again(variant, options.source)
    output = copy.finish() if copy else variant.path
    final = replace(
        result,
        source=str(options.source),
        output=str(output),
        model=variant.model_name,
        variant=variant.id,
        name=variant.name,
        opened=None,
    )
    registry.add_run(STEP, variant.id, {"source": str(options.source)}, to_json(final))
    return final
