"""The work of the step convert, in a worker."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from studio.api import (
    Capability,
    Converted,
    Converter,
    InputSpec,
    InvalidData,
    InvalidModel,
    StudioError,
    Unavailable,
    UnsafeModel,
    UsageError,
    Value,
)
from studio.conversion.code import Seal, check_consent
from studio.conversion.comparison import ForeignModel, compare_import, is_quantized, requests
from studio.conversion.inputs import input_specs
from studio.conversion.location import Mismatch, located, sentence
from studio.conversion.offer import converter_for
from studio.conversion.results import LARGEST_ERROR, ConversionCheck, ConversionResult
from studio.conversion.source_facts import described, texts_of
from studio.conversion.step import ConvertOptions
from studio.jobs.step import Job
from studio.models.backends import backend_for
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import OpenedModel, read_model
from studio.models.results import OpenResult
from studio.models.source_formats import SourceFormat, convertible_format
from studio.plugin_host import PluginHost
from studio.registry import component, component_of
from studio.registry.names import LONGEST_NAME

FOLDER = "model"
_FORMAT = "onnx"


def convert(options: ConvertOptions, job: Job) -> ConversionResult:
    """Convert a model, open the result, and compare both.

    Raises:
        UsageError: for a model that needs no conversion, or options that do not fit it.
        InvalidModel: when it cannot be converted.
        Refused: for one that runs code, without consent or without a sandbox.
        Unavailable: when no converter is installed for it.
    """
    begun = time.monotonic()
    if options.to != _FORMAT:
        raise UsageError(
            f"The step convert makes ONNX models, not {options.to}.", hint="Use the step export."
        )
    if options.name:
        component(options.name, "A model")
    specs = input_specs(options.input or (), options.dynamic or ())
    host = PluginHost.discover()
    form = _form(options.source)
    check_consent(form, options)
    converter: Converter = host.create(_converter_for(form, host))
    converter.version()  # said before any work
    if form.opens:
        read_model(options.source, job, host=host)  # its own reader trusts no position in it
    name = options.name or component_of(options.source.stem, LONGEST_NAME)
    output = job.folder / FOLDER / f"{component_of(options.source.stem, LONGEST_NAME)}.onnx"
    for folder in (output.parent, job.folder / "tool"):
        folder.mkdir()
    made = made_by(converter, options.source, output, specs, job.folder / "tool", job)
    texts, notes = texts_of(made, options.source)
    metadata = described(output, made.metadata)
    seal = Seal(output)  # before it is read: code of the source may still write to it
    opened = read_made(output, made.framework, host, job)
    write_graph(opened, job.folder, job)
    original = ForeignModel(converter, options.source, made.framework, made.ranges, made.samples)
    checks, warnings = _compared(original, opened, options.data, host, job)
    seal.check()
    return ConversionResult(
        source=str(options.source),
        format=form.id,
        output=output.name,
        seconds=time.monotonic() - begun,
        checks=checks,
        dynamic=open_names(opened.model.graph.inputs),
        warnings=(*made.warnings, *notes, *warnings),
        metadata=metadata,
        opened=opened_result(opened, str(options.source), name),
        texts=texts or None,
    )


def made_by(
    converter: Converter,
    source: Path,
    output: Path,
    specs: Mapping[str, InputSpec],
    folder: Path,
    job: Job,
    settings: Mapping[str, object] | None = None,
) -> Converted:
    """Convert a file.

    Args:
        folder: As for ``Converter.convert``, like the others.

    Raises:
        InvalidModel: when it cannot be converted.
    """
    try:
        return converter.convert(source, output, specs, folder, job, settings)
    except StudioError as error:
        if type(error) is not StudioError:
            raise
        # A tool that crashed knows nothing of the file that it was given.
        raise InvalidModel(
            f"{source.name} cannot be converted: {error.message}", detail=error.detail
        ) from None


def read_made(output: Path, framework: str, host: PluginHost, job: Job) -> OpenedModel:
    """Open a file that a framework wrote.

    Raises:
        InvalidModel: when it is damaged or unsafe.
    """
    try:
        return read_model(output, job, host=host)
    except (InvalidModel, UnsafeModel) as error:
        raise InvalidModel(
            f"{framework} made a file that cannot be opened: {error.message}", detail=error.detail
        ) from None


def _form(path: Path) -> SourceFormat:
    found = convertible_format(path)
    if found is None and path.suffix.lower() == ".onnx":
        raise UsageError(
            f"{path.name} is an ONNX model already.",
            hint="Another format of it is made with --to tflite, openvino, coreml or executorch.",
        )
    if found is None and path.is_dir():
        raise UsageError(
            f"The folder {path.name} holds no model that the studio converts.",
            hint="See docs/formats.md for what can be converted.",
        )
    if found is None:
        raise UsageError(
            f"{path.name} is not a model of a framework that the studio converts.",
            hint="Open an ONNX model directly. See docs/formats.md for what can be converted.",
        )
    return found


def _converter_for(form: SourceFormat, host: PluginHost) -> Capability:
    found = converter_for(form, host)
    if found is None:
        raise Unavailable(f"No installed converter reads {form.title}.", hint=form.remedy)
    return found


def _compared(
    original: ForeignModel, opened: OpenedModel, data: Path | None, host: PluginHost, job: Job
) -> tuple[tuple[ConversionCheck, ...], tuple[str, ...]]:
    """Return the comparison, or the reason why it was not possible; a difference is a warning."""
    session = backend_for(_FORMAT, host).load(opened.path, {"threads": 1})
    try:
        job.progress(0, 0, "Comparing with the original")
        feeds = requests(session, opened.model.graph.inputs, data, original)
        check, worst = compare_import(original, session, feeds, job.folder, job)
        if is_quantized(opened.model.graph):
            check = replace(check, limit=None)
    except (InvalidData, InvalidModel) as error:
        if data is not None and isinstance(error, InvalidData):
            raise
        return (), (f"Not compared with the original: {error.message}",)
    finally:
        session.close()
    if check.equal:
        return (check,), weak_outputs(check)
    found = Mismatch(check, original, worst, converted_from=True)
    check = located(found, opened, host, job.folder, job)
    return (check,), (
        f"The output {check.output!r} differs from the original by {check.max_error:.2g} of its "
        f"largest value, more than rounding explains ({LARGEST_ERROR:g}).{sentence(check)}",
    )


def weak_outputs(check: ConversionCheck) -> tuple[str, ...]:
    """Return the warnings that equal numbers prove little; none for outputs of a usual kind."""
    found = (
        (check.faint, "is nearly zero, or no number, on all samples"),
        (check.constant, "is the same on all samples"),
    )
    return tuple(
        f"The output {names[0]!r}{_and_more(names)} {what}, so equal numbers prove little. "
        "Compare on real ones with --data."
        for names, what in found
        if names
    )


def _and_more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def open_names(inputs: tuple[Value, ...]) -> dict[str, tuple[str, ...]]:
    """Return the names of the open sizes of each input that has some."""
    found = {}
    for value in inputs:
        shape = value.type.shape if value.type and value.type.shape else ()
        names = tuple(str(size or "?") for size in shape if not isinstance(size, int))
        if names:
            found[value.name] = names
    return found


def opened_result(opened: OpenedModel, source: str, name: str) -> OpenResult:
    """Return what the record needs to know of a model that was opened."""
    figures = opened.figures()
    return OpenResult(
        **{field.name: getattr(figures, field.name) for field in fields(figures)},
        source=source,
        name=name,
        copied=True,
    )
