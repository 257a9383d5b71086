"""The work of the step check, in a worker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Sample
from studio.conversion.chips.chip_check import ChipCheck
from studio.conversion.chips.output_comparison import GivenModel
from studio.conversion.chips.results import ChipResult
from studio.conversion.chips.step import CheckOptions
from studio.conversion.chips.target_comparison import ModelOnTarget
from studio.conversion.chips.task_score import evaluator_for
from studio.conversion.export import export
from studio.conversion.size_filter import fitting_samples
from studio.conversion.step import ExportOptions
from studio.conversion.targets import SOURCE
from studio.conversion.work import FOLDER
from studio.evaluation.judge import Evaluator, dictionary_for
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs.step import Job
from studio.models.opening import OpenedModel
from studio.models.shapes import parse
from studio.plugin_host import PluginHost

_SAMPLES = 32


def check(options: CheckOptions, job: Job) -> ChipResult:
    """Export a model to the format of a chip's compiler, compile it, and compare its numbers.

    Raises:
        UsageError: for an unknown chip, or a model in another format than the chip's or ONNX.
        Unavailable: when a toolchain is not installed.
        InvalidModel: when the model cannot be exported.
    """
    begun = time.monotonic()
    host = PluginHost.discover()
    work = ChipCheck.of(options.chip, options.model.format, host, job)
    target = _on_target(options, host, job)
    given = GivenModel(
        Path(options.model.path),
        options.model.format,
        options.input or (),
        lambda source: _samples(options, source),
        lambda samples: _evaluator(options, host, samples),
        locate=options.locate and options.model.format == work.chip.format == SOURCE,
        on_target=target,
    )
    warnings: tuple[str, ...] = ()
    if options.model.format == work.chip.format:
        path, precision = given.path, options.model.precision
        shapes = parse(given.input)
    else:
        made = export(_export(options, work), job)
        path, precision, shapes = job.folder / FOLDER / made.output, work.chip.precision, None
        warnings = made.warnings
    result = work.run(path, precision, job.folder, given, shapes)
    seconds = time.monotonic() - begun
    return replace(result, warnings=(*warnings, *result.warnings), seconds=seconds)


def _export(options: CheckOptions, work: ChipCheck) -> ExportOptions:
    return ExportOptions(
        model=options.model,
        to=work.chip.format,
        precision=work.chip.precision,
        data=options.data,
        input=options.input,
    )


def _on_target(options: CheckOptions, host: PluginHost, job: Job) -> ModelOnTarget | None:
    if options.target is None:
        return None
    subject = LoadedModel.of(options.model, host, job)
    return ModelOnTarget(subject, host, options.target, options.provider or "", job.folder, job)


def _samples(options: CheckOptions, source: OpenedModel) -> Sequence[Sample]:
    graphs = (source.model.graph, source.sized.graph)
    data, most = options.data, _SAMPLES
    if options.eval_data is not None:
        data, most = options.eval_data, options.eval_samples
    if data is None:
        return ()
    return fitting_samples(data, graphs[0].inputs, graphs[1].inputs, most).samples


def _evaluator(
    options: CheckOptions, host: PluginHost, samples: Sequence[Sample]
) -> Evaluator | None:
    data = options.eval_data or options.data
    assert data is not None, "without data, there are no samples"
    dictionary = dictionary_for(data, options.dictionary)
    return evaluator_for(host, options.metric, samples, dictionary)
