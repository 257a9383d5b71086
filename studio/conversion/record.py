"""The variant that the registry keeps of a converted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from studio.conversion.results import ConversionResult
from studio.conversion.step import CODE_DIGEST, ConvertOptions
from studio.conversion.work import FOLDER
from studio.documents.dataclass_json import to_json
from studio.models.record import keep_opened
from studio.projects.source_files import FILES, keep_carried
from studio.registry import Registry, below, file_digest
from studio.registry.copies import Copy

STEP = "convert"
_MARKS = ("config.json", "saved_model.pb")
"""Files by which folders of models are recognised."""


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
    source = _within(options.source)
    variant = keep_opened(registry, opened, folder, STEP, {"model": str(source)})
    registry.opened_again(variant, source, _consent(options))
    texts = {name: text for name, text in (result.texts or {}).items() if name in FILES}
    carried = keep_carried(registry, variant, texts)
    output = copy.finish() if copy else variant.path
    written = _next_to(output, texts) if copy else ()
    final = replace(
        result,
        source=str(options.source),
        output=str(output),
        model=variant.model_name,
        variant=variant.id,
        name=variant.name,
        carried={name: str(path) for name, path in carried.items()},
        written=written,
        opened=None,
        texts=None,
    )
    registry.add_run(STEP, variant.id, {"source": str(options.source)}, to_json(final))
    return final


def _consent(options: ConvertOptions) -> Mapping[str, str]:
    """Return the digest of a file whose code was allowed; another file needs a new consent."""
    if not options.run_code or not options.source.is_file():
        return {}
    return {CODE_DIGEST: file_digest(options.source)}


def _within(source: Path) -> Path:
    """Return a file in a folder of a model: the project is where the file is."""
    if not source.is_dir():
        return source
    marks = (source / name for name in _MARKS)
    return next((one for one in marks if one.is_file()), source / source.name)


def _next_to(output: Path, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Write files into the folder of the copy, each only where none has its name."""
    written = []
    for name, text in texts.items():
        path = output.with_name(FILES[name])
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError:  # one of the user's, or no room: the project has the text
            continue
        written.append(str(path))
    return tuple(written)
