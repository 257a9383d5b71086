"""The work of the step export for language models, in a worker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from studio.api import Capability, Converter, StudioError, UsageError
from studio.conversion import export as numbers
from studio.conversion.results import ConversionResult
from studio.conversion.step import BLOCK_SIZES, ExportOptions
from studio.conversion.targets import (
    TARGETS,
    TargetFormat,
    converters_to,
    targets_of,
)
from studio.conversion.work import FOLDER, made_by, opened_result, read_made
from studio.jobs.step import Job
from studio.models.language.folder import entry_file, language_facts
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio.registry import component_of
from studio.registry.names import LONGEST_NAME

_BRIDGE = "fp32"
"""Precision of the folder in between, so that each weight is rounded once."""

_BYTES = {"fp32": 4.0, "fp16": 2.0, "int8": 1.1, "int4": 0.6}
"""Bytes of a weight, with its share of a scale."""

_OF_OTHERS = ("input", "data", "labels")
_OF_LANGUAGE = ("block_size", "rounding")
_ROUNDED = "onnxruntime-genai"
_BLOCKS = {_ROUNDED: ("int4", "int8"), "openvino-genai": ("int4",)}


def export(options: ExportOptions, job: Job) -> ConversionResult:
    """Convert a language model, or an ONNX model as ``export.export`` does.

    Raises:
        UsageError: for a format, precision or option that does not fit the model.
        InvalidModel: when it cannot be converted.
        Unavailable: when an environment is missing.
    """
    source, form = options.model.format, TARGETS[options.to]
    if source not in form.sources:
        raise UsageError(
            f"{form.title} is not made of {_TITLES.get(source, source)}.", hint=_hint(source)
        )
    if not form.is_language:
        _refuse(options, _OF_LANGUAGE, "is for language models")
        return numbers.export(options, job)
    return convert(options, form, job)


_TITLES = {"onnx": "ONNX", "gguf": "GGUF", "safetensors": "safetensors"}


def _hint(source: str) -> str:
    names = ", ".join(one.id for one in targets_of(source))
    return f"Known: {names}." if names else "Open the model that it was made of."


def _refuse(options: ExportOptions, names: Sequence[str], reason: str) -> None:
    """Raise UsageError for the first of some options that is given."""
    for name in names:
        if getattr(options, name):
            raise UsageError(f"--{name.replace('_', '-')} {reason}.")


def convert(options: ExportOptions, form: TargetFormat, job: Job) -> ConversionResult:
    """Convert a language model below ``job.folder``, and open the result."""
    begun = time.monotonic()
    _refuse(options, _OF_OTHERS, "is not for language models")
    precision = _precision(options, form)
    host = PluginHost.discover()
    way = converters_to(form, host, options.model.format)
    numbers.require_installed(way, host)
    opened = read_model(Path(options.model.path), job, host=host)
    _require_room(opened.figures().parameters or 0, precision, way, job.folder)
    home = job.folder / FOLDER
    home.mkdir()
    name = component_of(options.model.model_name, LONGEST_NAME)
    output = home / f"{name}{form.suffix}" if form.suffix else home
    settings = _settings(options, precision)
    warnings = _write(opened.path, output, way, settings, host, job)
    entry = entry_file(output)
    made = read_made(entry, form.title, host, job)
    write_graph(made, job.folder, job)
    return ConversionResult(
        source=options.model.path,
        format=options.model.format,
        output=entry.name,
        output_format=form.id,
        seconds=time.monotonic() - begun,
        warnings=(*warnings, *_changed(opened.path, entry)),
        precision=precision,
        bytes=sum(one.stat().st_size for one in home.rglob("*") if one.is_file()),
        opened=opened_result(made, str(entry), entry.stem),
    )


def _precision(options: ExportOptions, form: TargetFormat) -> str:
    precision = options.precision or form.precisions[0]
    if precision not in form.precisions:
        known = ", ".join(sorted(form.precisions))
        raise UsageError(f"{form.title} is not written in {precision}.", hint=f"Known: {known}.")
    if options.block_size and options.block_size not in BLOCK_SIZES:
        known = ", ".join(map(str, BLOCK_SIZES))
        raise UsageError(f"No block has {options.block_size} weights.", hint=f"Known: {known}.")
    has_blocks = precision in _BLOCKS.get(form.id, ())
    if options.block_size and not has_blocks:
        raise UsageError(f"--block-size is not for {form.title} in {precision}.")
    if options.rounding and not (has_blocks and form.id == _ROUNDED):
        raise UsageError(f"--rounding is not for {form.title} in {precision}.")
    return precision


def _require_room(parameters: int, precision: str, way: Sequence[Capability], folder: Path) -> None:
    """Raise StudioError when the disk has no room for the new model and what is in between."""
    between = 4 * parameters * (len(way) - 1)
    needed = int(_BYTES[precision] * parameters) + between
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StudioError(
            f"The conversion needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free.",
            hint="Make room, or choose a smaller precision.",
        )


def _settings(options: ExportOptions, precision: str) -> dict[str, object]:
    found: dict[str, object] = {"precision": precision}
    if options.block_size:
        found["block_size"] = options.block_size
    if options.rounding:
        found["rounding"] = options.rounding
    return found


def _write(
    source: Path,
    output: Path,
    way: Sequence[Capability],
    settings: dict[str, object],
    host: PluginHost,
    job: Job,
) -> tuple[str, ...]:
    """Write the model by one converter after the other; return what the user should know."""
    warnings: list[str] = []
    for number, capability in enumerate(way, 1):
        writer: Converter = host.create(capability)
        scratch = job.folder / f"tool-{number}"
        scratch.mkdir()
        last = number == len(way)
        made = output if last else job.folder / "between"
        chosen = settings if last else {"precision": _BRIDGE}
        done = made_by(writer, source, made, {}, scratch, job, chosen)
        warnings += done.warnings
        shutil.rmtree(scratch, ignore_errors=True)
        source = entry_file(made)
    return tuple(warnings)


def _changed(source: Path, made: Path) -> tuple[str, ...]:
    """Return a warning for each size that the new model has otherwise than its source."""
    before, after = language_facts(source), language_facts(made)
    if before is None or after is None:
        return ()
    found = []
    for one in fields(before):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if isinstance(old, int) and isinstance(new, int) and old != new:
            found.append(f"The new model has {one.name} {new:,}, and its source {old:,}.")
    return tuple(found)
