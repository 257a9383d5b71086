"""The work of the stage, done in a worker: transform, compare, judge."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path

from studio.api import (
    Dataset,
    Extension,
    Transform,
    Transformed,
    UsageError,
)
from studio.conversion.chips.results import ChipResult
from studio.evaluation.comparison import Latency, output_errors
from studio.evaluation.judge import Evaluator, dictionary_for
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.results import (
    MetricChange,
    OutputError,
)
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.lazy_dataclass import dataclass
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import OpenedModel, read_model
from studio.plugin_host import PluginHost
from studio.quantization.advice import advice, doubts
from studio.quantization.chips.alternatives import alternatives
from studio.quantization.chips.results import ChipSearchReport
from studio.quantization.chips.search import ChipLayerSearch
from studio.quantization.chips.verdict import ChipVerdicts
from studio.quantization.float_nodes import with_float_nodes
from studio.quantization.heldout import Heldout, labelled
from studio.quantization.layer_search import LayerSearch, halves
from studio.quantization.limits import check_chip, check_limits
from studio.quantization.methods import check_method
from studio.quantization.preset import Preset
from studio.quantization.results import (
    QuantizeResult,
    SearchReport,
    SizeChange,
    VariantFiles,
)
from studio.quantization.search_strategy import Goal
from studio.quantization.step import QuantizeOptions
from studio.quantization.variant_details import describe
from studio.quantization.variant_timing import timed

_COMPARED = 32
"""Samples whose outputs are compared; the error settles after a few."""

_VARYING = "The number of values of output {!r} depends on the data: it has no SQNR."

_NAMED = 200
"""Most regressed and improved samples to name."""


_Search = tuple[Goal, Evaluator, Dataset]
"""A search's goal, and the metric with its samples."""


def quantize(options: QuantizeOptions, job: Job) -> QuantizeResult:
    """Make the variant below ``job.folder`` and compare it with the float model.

    Raises:
        UsageError, InvalidData, InvalidModel: for what does not fit, in one sentence.
        GateMissed: when the metric fell by more than ``max_drop``.
    """
    begin = time.monotonic()
    host = PluginHost.discover()
    subject = _subject(options, host, job, options.recurrent)
    preset, transform, unkept = _plan(options, subject, host)
    data = subject.samples(options.data, preset.samples) if options.data else None
    if transform.needs_data and data is None:
        raise UsageError(
            f"The method {preset.method} needs calibration data.",
            hint="Pass --data: a folder or .npz file, or images with a preprocess.toml.",
        )
    judged = _labelled(options.labelled, subject, options.eval_samples)
    kept = _labelled(options.heldout_data, subject, options.eval_samples)
    judge = _judge(options, host, labelled(judged, kept, options.search), job)
    heldout, notes = Heldout.of(kept, judge, host).parts()
    output = job.folder / f"{subject.path.stem}.{preset.method}.onnx"
    feeds = data if judged is None else judged
    chip = ChipVerdicts.of(options.chip, subject, judge, feeds, host, job)
    if unkept:
        notes.insert(0, unkept)
    search: _Search | None = None
    if options.search:
        search, heldout, shared = _searched(options, judge, judged, heldout)
        notes += shared
    found = _variant(options, subject, host, job, (preset, transform), output, data, search, chip)
    made, preset = found.made, found.preset
    judged = judged if heldout is None else heldout
    shown = data if judged is None else judged
    errors, varying, time_taken = _compare(subject, made.path, shown, job)
    verdict = _verdict(judge, subject, made.path, judged, job)
    check_limits(options, verdict, time_taken, made.precision)
    on_chip = _on_chip(chip, made.path, shown, options.max_drop, job)
    details = describe(subject, made, shown, _changed(verdict), judge, job)
    opened, graph = _opened(made, host, job)
    size = sum(file.stat().st_size for file in opened.files)
    sqnr_db = min((error.sqnr_db for error in errors), default=None)
    interval = (time_taken.low, time_taken.high) if time_taken else None
    return QuantizeResult(
        files=VariantFiles(made.path.name, graph.name, details, opened.figures()),
        precision=made.precision,
        preset=preset.to_json(),
        preset_text=preset.to_text(),
        facts=made.facts,
        bytes=SizeChange(subject.nbytes, size),
        size_ratio=size / subject.nbytes,
        metric=verdict,
        outputs=tuple(errors),
        sqnr_db=sqnr_db,
        latency_ratio=time_taken.ratio if time_taken else None,
        latency_interval=interval,
        threads=time_taken.threads if time_taken else None,
        advice=advice(
            made.precision,
            None if chip is not None else interval,  # of another processor
            sqnr_db,
            verdict.drop if verdict else None,
            doubts(data) if transform.needs_data else "",
            size / subject.nbytes,
        ),
        notes=(*notes, *varying),
        search=found.search,
        chip=on_chip,
        chip_search=found.chip_search,
        peak_memory_mb=round(_peak_memory_mb(), 1),
        seconds=round(time.monotonic() - begin, 3),
        cpu_seconds=round(time.process_time(), 3),
    )


@dataclass(frozen=True, slots=True)
class _Variant:
    """New variant with its preset and the choice of its layers."""

    made: Transformed
    preset: Preset
    search: SearchReport | None = None
    chip_search: ChipSearchReport | None = None


def _variant(
    options: QuantizeOptions,
    subject: LoadedModel,
    host: PluginHost,
    job: Job,
    plan: tuple[Preset, Transform],
    output: Path,
    data: Dataset | None,
    search: _Search | None,
    chip: ChipVerdicts | None,
) -> _Variant:
    """Make the variant of a plan, or search for its layers."""
    preset, transform = plan
    if search is None:
        fed = None if data is None else subject.whole_feeds(data)
        made = transform.apply(subject.path, output, preset.options, fed, Phase(job, 0.02, 0.5))
        return _Variant(made, preset)
    goal, judge, samples = search
    if chip is None or goal.max_drop is None:
        work = LayerSearch(subject, judge, samples, job, options)
        made, report = work.run(transform, output, preset.options, data, goal)
        return _Variant(made, preset, report)
    others = alternatives(chip.chip, options, subject, host)
    finder = ChipLayerSearch(subject, judge, samples, job, chip, goal.max_drop, others)
    found = finder.run(transform, output, preset.options, data)
    return _Variant(found.made, found.preset or preset, chip_search=found.report)


def _on_chip(
    chip: ChipVerdicts | None,
    variant: Path,
    dataset: Dataset | None,
    limit: float | None,
    job: Job,
) -> ChipResult | None:
    """Return the verdict of the chip that the variant is for."""
    if chip is None:
        return None
    Phase(job, 0.97, 0.98).progress(0, 1, f"Compiling for {chip.chip.title}")
    result = chip.judged(variant, dataset)
    check_chip(result, chip.drop(result), limit)
    return result


def _opened(made: Transformed, host: PluginHost, job: Job) -> tuple[OpenedModel, Path]:
    """Look at the new model, and write its graph."""
    opened = read_model(made.path, Phase(job, 0.98, 0.99), host=host)
    return opened, write_graph(opened, job.folder, Phase(job, 0.99, 1))


def _searched(
    options: QuantizeOptions,
    judge: Evaluator | None,
    judged: Dataset | None,
    heldout: Dataset | None,
) -> tuple[_Search, Dataset, list[str]]:
    """Return a search's goal and metric with samples, the held-out samples, and a note on both.

    Raises:
        UsageError: when one is missing.
    """
    goal = Goal(options.max_drop, options.max_latency_ratio)
    if judge is None or judged is None:
        raise UsageError(
            "Layer search needs a metric.",
            hint="Pass --eval-data with labels, or --metric sqnr.",
        )
    if heldout is not None:
        return (goal, judge, judged), heldout, []
    seen, heldout = halves(judged, apart=bool(options.recurrent))
    return (goal, judge, seen), heldout, [_shared(len(seen), len(heldout))]


def _shared(chosen: int, judged: int) -> str:
    """Return how a search divided the evaluation data."""
    return (
        f"Of {chosen + judged:,} evaluation samples, {chosen:,} chose the layers and "
        f"{judged:,} measured the metric. Pass --heldout-data to use all of them for "
        "the search."
    )


def _plan(
    options: QuantizeOptions, subject: LoadedModel, host: PluginHost
) -> tuple[Preset, Transform, str]:
    """Return preset and method, and a sentence about nodes that cannot be kept in float."""
    preset = Preset.from_options(options)
    check_method(preset.method, host)
    transform: Transform = host.get(Extension.TRANSFORM, preset.method)
    fitted = preset.for_transform(transform.options)
    preset, unkept = with_float_nodes(fitted, options.float_nodes, subject.nodes)
    return preset, transform, unkept


def _subject(
    options: QuantizeOptions,
    host: PluginHost,
    job: Job,
    states: tuple[str, ...] = (),
) -> LoadedModel:
    return LoadedModel.of(options.model, host, Phase(job, 0, 0.02), states, options.label_map)


def _labelled(path: Path | None, subject: LoadedModel, limit: int | None) -> Dataset | None:
    return subject.labelled(path, limit) if path else None


def _compare(
    subject: LoadedModel, made: Path, dataset: Dataset | None, job: Job
) -> tuple[Sequence[OutputError], list[str], Latency | None]:
    """Return errors at the outputs, notes on them and the time of both models.

    Without samples, there are none.
    """
    if dataset is None:
        return (), [], None
    before, after = subject.session(threads=1), subject.session(made, threads=1)
    try:
        total = min(_COMPARED, len(dataset))
        step = 1 if subject.fed else len(dataset) // total
        chosen = (s for i, s in enumerate(dataset) if i % step == 0 and i // step < total)
        phase = Phase(job, 0.5, 0.6, "Comparing the outputs")
        errors, varying = output_errors(before, after, chosen, total, phase)
    finally:
        before.close()
        after.close()
    feeds = next(iter(dataset)).feeds
    notes = [_VARYING.format(name) for name in varying]
    return errors, notes, timed(subject, made, feeds, Phase(job, 0.6, 0.65, "Timing"))


def _judge(
    options: QuantizeOptions, host: PluginHost, dataset: Dataset | None, job: Job
) -> Evaluator | None:
    """Return the metric to measure, chosen before the long work begins.

    Raises:
        UsageError: when a limit is set but no metric to compare with it.
    """
    judge = None
    if dataset is not None:
        dictionary = dictionary_for(options.labelled or Path(), options.dictionary)
        judge = Evaluator.choose(host, options.metric, dataset, dictionary, options.outputs)
    if judge is None and options.max_drop is not None:
        raise UsageError(
            "--max-drop needs a metric, and the data has no labels.",
            hint="Pass --eval-data with labels.",
        )
    if judge is None:
        job.log("No task metric: the data has no labels, or --metric none was given.")
    return judge


def _verdict(
    judge: Evaluator | None, subject: LoadedModel, made: Path, dataset: Dataset | None, job: Job
) -> MetricChange | None:
    if judge is None or dataset is None:
        return None
    alone = judge.by_reference
    exact, session = subject.scoring(alone=alone), subject.scoring(made, alone)
    try:
        before = judge.scored(exact, dataset, Phase(job, 0.65, 0.81, "Evaluating the float model"))
        phase = Phase(job, 0.81, 0.97, "Evaluating the new model")
        after = judge.scored(session, dataset, phase, exact)
    finally:
        exact.close()
        session.close()
    lost, gained = before.changed(after)
    return MetricChange(
        judge.metric.id,
        judge.metric.title,
        before.value,
        after.value,
        round(judge.drop(before.value, after.value), 9),
        len(dataset),
        lost[:_NAMED],
        gained[:_NAMED],
        (len(lost), len(gained)),
    )


def _changed(verdict: MetricChange | None) -> dict[str, str]:
    """Return the changes of the samples with another result than the float model's."""
    if verdict is None:
        return {}
    return {**dict.fromkeys(verdict.lost, "lost"), **dict.fromkeys(verdict.gained, "gained")}


def _peak_memory_mb() -> float:
    """Return the peak of this process, or of its largest child (a quantizer of a plugin)."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in both) / 1024
