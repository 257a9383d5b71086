"""The work of the step export, in a worker."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from studio.api import (
    Capability,
    Converter,
    Feeds,
    InputSpec,
    InvalidData,
    InvalidModel,
    Model,
    Session,
    Unavailable,
    UsageError,
    Value,
)
from studio.conversion.comparison import ForeignModel, compare_export, requests, write_samples
from studio.conversion.location import Mismatch, located, sentence
from studio.conversion.offer import missing_of
from studio.conversion.results import LARGEST_ERROR, ConversionCheck, ConversionResult
from studio.conversion.size_filter import fitting_samples
from studio.conversion.step import ExportOptions
from studio.conversion.targets import SOURCE, TARGETS, TargetFormat, converters_to
from studio.conversion.work import (
    FOLDER,
    made_by,
    open_names,
    opened_result,
    read_made,
    weak_outputs,
)
from studio.datasets.preprocess import Preprocess
from studio.datasets.text_lines import text_lines
from studio.jobs.step import Job
from studio.lazy_dataclass import dataclass
from studio.models.backends import backend_for, folded
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import OpenedModel, read_model
from studio.models.shapes import parse
from studio.plugin_host import PluginHost
from studio.registry import component_of
from studio.registry.names import LONGEST_NAME
from studio.settings.project_preprocess import ProjectPreprocess

_TEXTS = ("author", "description", "license", "version")
"""Entries of an ONNX file's metadata that other formats have, too."""


def facts_of(model: Model, labels: Path | None) -> dict[str, object]:
    """Return settings of a converter: ``labels``, ``preprocess`` and ``metadata``, where known.

    Args:
        labels: A file with the names of the classes.

    Raises:
        InvalidData: when the preprocessing of the project cannot be read.
    """
    path = ProjectPreprocess.path
    known = {key: model.metadata[key] for key in _TEXTS if key in model.metadata}
    found: dict[str, object] = {
        "labels": [line.strip() for line in text_lines(labels)],
        "preprocess": Preprocess.from_toml(path).to_json() if path and path.is_file() else {},
        "metadata": known,
    }
    return {key: value for key, value in found.items() if value}


_LIMITS: Mapping[str, float | None] = {
    "fp32": LARGEST_ERROR,
    "fp16": 2e-2,
    "int8": None,
    "int8-whole": None,
    "int8-io": None,
}
"""Largest relative error by precision; int8 has a metric on data instead."""

_COMPARED_SAMPLES = 4
_CALIBRATION_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class _Work:
    """An export with all that its parts need.

    Attributes:
        stays_open: No size is fixed.
        writers: The converters, one after the other.
    """

    form: TargetFormat
    stays_open: bool
    precision: str
    writers: Sequence[Converter]
    opened: OpenedModel
    host: PluginHost
    job: Job


def export(options: ExportOptions, job: Job) -> ConversionResult:
    """Convert an ONNX model, open the result where that is possible, and compare both.

    Raises:
        UsageError: for a precision that the format does not have, or without data for int8.
        InvalidData: when the data do not fit the model, or for int8 none has the fixed sizes.
        InvalidModel: when it cannot be converted, with the operator at fault.
        Unavailable: when a converter is not installed.
    """
    begun = time.monotonic()
    form = TARGETS[options.to]
    precision = _precision(options, form)
    host = PluginHost.discover()
    way = converters_to(form, host)
    require_installed(way, host)
    writers: list[Converter] = [host.create(one) for one in way]
    opened = read_model(Path(options.model.path), job, parse(options.input or ()), host=host)
    output = (
        job.folder / FOLDER / f"{component_of(options.model.model_name, LONGEST_NAME)}{form.suffix}"
    )
    output.parent.mkdir()
    stays_open = form.keeps_open and not options.input
    work = _Work(form, stays_open, precision, writers, opened, host, job)
    backend = backend_for(SOURCE, host)
    with closing(backend.load(opened.path, {"threads": 1})) as session:
        feeds, random = _samples(work, session, options)
        settings, unused = _settings(work, options)
        framework, warnings = _write(work, output, settings)
        against = f"{backend.title} {backend.version()}"
        checks, unchecked = _compared(work, output, framework, session, against, feeds)
    result = ConversionResult(
        source=options.model.path,
        format=SOURCE,
        output=output.name,
        output_format=form.id,
        checks=checks,
        warnings=(*_fixed(work, options), *random, *unused, *warnings, *unchecked),
        precision=precision,
        bytes=_bytes(output.parent),
    )
    return replace(_read(work, output, result), seconds=time.monotonic() - begun)


def require_installed(way: Sequence[Capability], host: PluginHost) -> None:
    """Raise Unavailable where environments are missing, with all of them, before any work."""
    missing = missing_of(way, host)
    problems = []
    for _, environment in missing:
        try:
            environment.usable()
        except Unavailable as error:
            problems.append(error)
    if not problems:
        return
    commands = [f"studio backends install {one.name or one.plugin}" for _, one in missing]
    raise Unavailable(
        " ".join(error.message for error in problems),
        hint=problems[0].hint
        if len(problems) == 1
        else f"Install them with: {' && '.join(commands)}, or on the Plugins page.",
    )


def _precision(options: ExportOptions, form: TargetFormat) -> str:
    precision = options.precision or form.precisions[0]
    if precision not in form.precisions:
        known = ", ".join(sorted(form.precisions))
        raise UsageError(f"{form.title} is not written in {precision}.", hint=f"Known: {known}.")
    if precision in form.calibrated and options.data is None:
        raise UsageError(
            f"{form.title} in {precision} needs samples for its calibration.",
            hint="Give them with --data.",
        )
    return precision


def _inputs(work: _Work) -> tuple[Value, ...]:
    model = work.opened.model if work.stays_open else work.opened.sized
    return model.graph.inputs


def _samples(
    work: _Work, session: Session, options: ExportOptions
) -> tuple[Sequence[Feeds], tuple[str, ...]]:
    """Return the requests of the comparison and warnings: of the data, else made up."""
    fixed = _inputs(work)
    if options.data is None:
        return requests(session, fixed, None), ()
    found = fitting_samples(options.data, work.opened.model.graph.inputs, fixed, _COMPARED_SAMPLES)
    if found.samples:
        return found.feeds, ()
    warning = f"{found.problem(fixed)} Both models are compared on random inputs."
    return requests(session, fixed, None), (warning,)


def _settings(work: _Work, options: ExportOptions) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the settings of the writers and warnings.

    Where they calibrate, samples of the sizes of the new model are in a folder.
    """
    settings: dict[str, object] = {"precision": work.precision}
    settings |= facts_of(work.opened.model, options.labels)
    if options.data is None or work.precision not in work.form.calibrated:
        return settings, ()
    inputs = work.opened.model.graph.inputs
    found = fitting_samples(options.data, inputs, _inputs(work), _CALIBRATION_SAMPLES)
    if not found.samples:
        raise InvalidData(
            found.problem(_inputs(work)),
            hint="Give other sizes with --input, or samples of these.",
        )
    folder = work.job.folder / "calibration"
    folder.mkdir()
    write_samples(found.feeds, folder)
    warning = (
        f"{found.left_out} of {found.read} samples have other sizes than the new model. The "
        f"calibration has the other {len(found.samples)}."
    )
    return {**settings, "calibration": str(folder)}, (warning,) * bool(found.left_out)


def _write(
    work: _Work, output: Path, settings: Mapping[str, object]
) -> tuple[str, tuple[str, ...]]:
    """Write the model by one converter after the other; return the last one's framework."""
    source = folded(work.opened.path, SOURCE, work.host, work.job.folder)
    framework = ""
    warnings: tuple[str, ...] = ()
    for number, writer in enumerate(work.writers, 1):
        scratch = work.job.folder / f"tool-{number}"
        scratch.mkdir()
        last = number == len(work.writers)
        made = output if last else work.job.folder / f"{output.stem}.pt2"
        specs = _specs(work) if number == 1 else {}
        done = made_by(writer, source, made, specs, scratch, work.job, settings)
        source, framework = made, done.framework
        warnings = (*warnings, *done.warnings)
    return framework, warnings


def _specs(work: _Work) -> dict[str, InputSpec]:
    """Return the inputs whose sizes are fixed."""
    if work.stays_open:
        return {}
    found = {}
    for value in _inputs(work):
        shape = value.type.shape if value.type else None
        sizes = [size for size in shape or () if isinstance(size, int)]
        if shape and len(sizes) == len(shape):
            found[value.name] = InputSpec(tuple(sizes))
    return found


def _compared(
    work: _Work,
    output: Path,
    framework: str,
    session: Session,
    against: str,
    feeds: Sequence[Feeds],
) -> tuple[tuple[ConversionCheck, ...], tuple[str, ...]]:
    made = ForeignModel(work.writers[-1], output, framework)
    work.job.progress(0, 0, f"Running it with {framework}")
    try:
        check, worst = compare_export(made, session, against, feeds, work.job.folder, work.job)
    except (InvalidModel, Unavailable) as error:
        return (), (f"Not compared with the ONNX model: {error.message}",)
    check = replace(check, limit=_LIMITS[work.precision])
    if check.equal:
        return (check,), weak_outputs(check)
    found = Mismatch(check, made, worst, converted_from=False)
    check = located(found, work.opened, work.host, work.job.folder, work.job)
    return (check,), (
        f"The output {check.output!r} differs by {check.max_error:.2g} of its largest value, "
        f"more than {work.precision} explains ({check.limit:g}).{sentence(check)}",
    )


def _fixed(work: _Work, options: ExportOptions) -> list[str]:
    """Say which sizes were assumed, since the new model takes no others."""
    if work.stays_open:
        return []
    return [
        f"{work.form.title} takes {name} with the sizes {','.join(map(str, shape))} alone. "
        f"--input {name}=... sets others."
        for name, shape in work.opened.assumed.items()
    ]


def _bytes(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


def _read(work: _Work, output: Path, result: ConversionResult) -> ConversionResult:
    if not work.form.opens:
        return result
    opened = read_made(output, work.form.title, work.host, work.job)
    write_graph(opened, work.job.folder, work.job)
    return replace(
        result,
        dynamic=open_names(opened.model.graph.inputs),
        opened=opened_result(opened, str(output), output.stem),
    )
