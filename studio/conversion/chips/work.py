"""The work of the step check, in a worker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studio.api import (
    ChipCompiler,
    Compiled,
    InvalidModel,
    PlacedNode,
    Sample,
    StudioError,
    Unavailable,
)
from studio.api.chips import RefusedModel
from studio.conversion.chips.catalogue import ChipSpec, chip_named
from studio.conversion.chips.numeric_gate import gated, refused, size_of, write_golden
from studio.conversion.chips.overview import compiler_of, export_to
from studio.conversion.chips.results import (
    ChipNumbers,
    ChipResult,
    NodeCounts,
    RefusedNode,
    Verdict,
)
from studio.conversion.chips.step import CheckOptions
from studio.conversion.chips.task_score import TaskScore, evaluator_for
from studio.conversion.comparison import ForeignModel, compare_export, requests
from studio.conversion.export import export, require_installed
from studio.conversion.size_filter import fitting_samples
from studio.conversion.step import ExportOptions
from studio.conversion.targets import TARGETS
from studio.conversion.work import FOLDER
from studio.documents.text_table import counted
from studio.evaluation.float_outputs import FloatOutputs, quantized_ends
from studio.evaluation.judge import dictionary_for
from studio.jobs.step import Job
from studio.models.backends import backend_for
from studio.models.opening import OpenedModel, read_model
from studio.models.shapes import parse
from studio.plugin_host import PluginHost

ARTEFACT = "artefact"
"""Folder of the file for the device, in that of the job."""

_SAMPLES = 32


@dataclass(frozen=True, slots=True)
class _Work:
    """A check with all that its parts need.

    Attributes:
        model: The file that the compiler gets.
    """

    chip: ChipSpec
    compiler: ChipCompiler
    options: CheckOptions
    host: PluginHost
    job: Job
    model: Path
    warnings: tuple[str, ...] = ()


def check(options: CheckOptions, job: Job) -> ChipResult:
    """Export a model to the format of a chip's compiler, compile it, and compare its numbers.

    Raises:
        UsageError: for an unknown chip, or a model in another format than the chip's or ONNX.
        Unavailable: when a toolchain is not installed.
        InvalidModel: when the model cannot be exported.
    """
    begun = time.monotonic()
    host = PluginHost.discover()
    chip = chip_named(options.chip, host)
    capability = compiler_of(chip, host)
    require_installed([capability, *export_to(chip, options.model.format, host)], host)
    compiler: ChipCompiler = host.create(capability)
    work = _prepared(chip, compiler, options, host, job)
    opened = _opened(work)
    base = ChipResult(
        chip=chip.id,
        title=chip.title,
        verdict=Verdict.REFUSED.value,
        how=compiler.how,
        toolchain=f"{compiler.title} {compiler.version()}",
        format=chip.format,
        precision=options.model.precision
        if options.model.format == chip.format
        else chip.precision,
        warnings=work.warnings,
    )
    result = _judged(work, opened, base)
    return replace(result, seconds=time.monotonic() - begun)


def _prepared(
    chip: ChipSpec, compiler: ChipCompiler, options: CheckOptions, host: PluginHost, job: Job
) -> _Work:
    """Return the work with the model in the compiler's format, exported where it is ONNX."""
    if options.model.format == chip.format:
        return _Work(chip, compiler, options, host, job, Path(options.model.path))
    wanted = ExportOptions(
        model=options.model,
        to=chip.format,
        precision=chip.precision,
        data=options.data,
        input=options.input,
    )
    made = export(wanted, job)
    path = job.folder / FOLDER / made.output
    return _Work(chip, compiler, options, host, job, path, made.warnings)


def _opened(work: _Work) -> OpenedModel:
    """Open what the compiler gets; the given model where the studio reads no such format."""
    form = TARGETS.get(work.chip.format)
    path = work.model if form is None or form.opens else Path(work.options.model.path)
    given = str(path) == work.options.model.path
    shapes = parse(work.options.input or ()) if given else None
    return read_model(path, work.job, shapes, host=work.host)


def _judged(work: _Work, opened: OpenedModel, base: ChipResult) -> ChipResult:
    try:
        compiled = _compiled(work, opened)
    except InvalidModel as error:
        edits = error.edits if isinstance(error, RefusedModel) else ()
        return replace(base, reason=error.message, edits=edits)
    fallback = [node for node in compiled.nodes if not node.on_chip]
    counts = _counts(compiled, len(opened.model.graph.nodes))
    verdict = Verdict.PARTLY if fallback else Verdict.RUNS
    result = replace(
        base,
        verdict=(verdict if counts.on_chip else Verdict.REFUSED).value,
        how=compiled.how or base.how,
        nodes=counts,
        refused=tuple(_refused(one) for one in fallback),
        artefact=compiled.artefact.name if compiled.artefact else "",
        estimate=compiled.estimate,
        warnings=(*base.warnings, *compiled.warnings),
        edits=compiled.edits,
    )
    if counts.on_chip:
        result = _with_numbers(work, compiled, result)
    if result.artefact and compiled.artefact:
        result = replace(result, bytes=size_of(compiled.artefact))
    return result


def _refused(node: PlacedNode) -> RefusedNode:
    return RefusedNode(
        node.name,
        node.operator,
        node.reason,
        node.remedy,
        preset=node.preset,
        edits=node.edits,
        keep_float=node.keep_float,
    )


def _counts(compiled: Compiled, nodes: int) -> NodeCounts:
    """Count the nodes; a compiler that names refused ones alone refuses the model with them."""
    on_chip = sum(node.on_chip for node in compiled.nodes)
    if compiled.nodes and not on_chip:
        return NodeCounts(nodes, 0, nodes)
    total = len(compiled.nodes) or nodes
    return NodeCounts(total, on_chip or total, total - (on_chip or total))


def _compiled(work: _Work, opened: OpenedModel) -> Compiled:
    folder, scratch = work.job.folder / ARTEFACT, work.job.folder / "compiler"
    folder.mkdir()
    scratch.mkdir()
    output = folder / work.model.stem
    try:
        return work.compiler.compile(
            work.model, output, work.chip.settings, _sizes(opened), scratch, work.job
        )
    except StudioError as error:
        if type(error) is not StudioError:
            raise
        # A compiler that crashed knows nothing of the file that it was given.
        raise InvalidModel(
            f"{work.compiler.title} ended: {error.message}", detail=error.detail
        ) from None


def _sizes(opened: OpenedModel) -> dict[str, tuple[int, ...]]:
    """Return the sizes of the inputs; open ones as they are assumed."""
    shapes = {
        value.name: value.type.shape
        for value in opened.sized.graph.inputs
        if value.type is not None and value.type.shape is not None
    }
    return {
        name: tuple(size if isinstance(size, int) else 1 for size in shape)
        for name, shape in shapes.items()
    }


def _with_numbers(work: _Work, compiled: Compiled, result: ChipResult) -> ChipResult:
    """Add the comparison of the outputs, or a warning with the reason against it."""
    try:
        compared = _numbers(work, compiled)
    except StudioError as error:
        if type(error) not in (InvalidModel, RefusedModel, Unavailable, StudioError):
            raise  # what crashed has compiled the model, so the verdict stands
        if work.chip.gate is not None:
            return refused(work.chip, result, error.message)
        return replace(
            result, warnings=(*result.warnings, f"Outputs not compared: {error.message}")
        )
    numbers = compared.numbers
    if compared.why_not_scored:
        result = replace(result, warnings=(*result.warnings, compared.why_not_scored))
    if (left := compared.given - numbers.samples) > 0:
        text = f"{counted(left, 'sample')} not compared: {work.compiler.title} is slow here."
        result = replace(result, warnings=(*result.warnings, text))
    return gated(work.chip, result, numbers)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A comparison of outputs.

    Attributes:
        given: Number of samples that there were.
        why_not_scored: Why the task metric was not taken; empty where it was, or without labels.
    """

    numbers: ChipNumbers
    given: int
    why_not_scored: str = ""


def _numbers(work: _Work, compiled: Compiled) -> _Numbers:
    """Run the given model and the one on the chip on the same samples."""
    given = work.options.model
    backend = backend_for(given.format, work.host)
    session = backend.load(Path(given.path), {"threads": 1})
    try:
        source = read_model(
            Path(given.path), work.job, parse(work.options.input or ()), host=work.host
        )
        inputs = source.sized.graph.inputs
        samples = _samples(work, source)
        feeds = [one.feeds for one in samples] or requests(session, inputs, None)
        score, why_not = _score(work, samples)
        steps = quantized_ends(source.model.graph.outputs)
        exact = FloatOutputs(session, steps) if steps else session
        framework = f"{work.compiler.title} {work.compiler.version()}"
        made = ForeignModel(work.compiler, work.model, framework, slow=True)
        against = f"{backend.title} {backend.version()}"
        scratch = work.job.folder / "numbers"
        scratch.mkdir()
        observe = score.add if score is not None else None
        found, _ = compare_export(made, exact, against, feeds, scratch, work.job, observe)
        write_golden(compiled, work.chip, exact, feeds)
    finally:
        session.close()
    numbers = ChipNumbers(
        against,
        found.samples,
        found.max_error,
        found.argmax_equal,
        score.metric() if score is not None else None,
    )
    return _Numbers(numbers, len(feeds), why_not)


def _samples(work: _Work, source: OpenedModel) -> Sequence[Sample]:
    options, graphs = work.options, (source.model.graph, source.sized.graph)
    data, most = options.data, _SAMPLES
    if options.eval_data is not None:
        data, most = options.eval_data, options.eval_samples
    if data is None:
        return ()
    return fitting_samples(data, graphs[0].inputs, graphs[1].inputs, most).samples


def _score(work: _Work, samples: Sequence[Sample]) -> tuple[TaskScore | None, str]:
    """Return the score of labelled samples, or a warning with the reason against it."""
    options = work.options
    data = options.eval_data or options.data
    if not samples or data is None:
        return None, ""
    dictionary = dictionary_for(data, options.dictionary)
    try:
        evaluator = evaluator_for(work.host, options.metric, samples, dictionary)
    except StudioError as error:
        return None, f"Not evaluated: {error.message}"
    return (TaskScore(evaluator, samples) if evaluator is not None else None), ""
