"""The pre-flight check of a quantization, in a worker: data, estimate, one timed int8 model.

Kernel times do not depend on activation ranges, so one sample calibrates the timed model. The
layers that a search would keep in float are not known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from studio.api import (
    Array,
    Dataset,
    Extension,
    Feeds,
    Progress,
    Sample,
    StudioError,
    TensorType,
    Transform,
)
from studio.datasets import open_dataset
from studio.datasets.input_preview import drawn
from studio.datasets.results import (
    DataPreview,
    DataProblem,
    InputShape,
    LabelKind,
    SamplePreview,
)
from studio.evaluation.comparison import Latency
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio.quantization.outlook.speedup import SpeedupEstimate, predict, shapes_to_time
from studio.quantization.outlook.timing_cache import Measure, TimingCache
from studio.quantization.preset import Preset
from studio.quantization.results import PreflightResult, SpeedupOutlook
from studio.quantization.step import PreviewOptions
from studio.quantization.variant_timing import timed

# A bound of the time: labels come with their samples, which have to be read.
_LABELS_LOOKED_AT = 2000
_SHOWN = 4


def preview(options: PreviewOptions, job: Job) -> PreflightResult:
    """Return facts before the work; data that do not fit give a sentence, not an error."""
    host = PluginHost.discover()
    reading = Phase(job, 0, 0.2)
    subject = LoadedModel.of(options.model, host, reading, label_map=options.label_map)
    calibration = subject.samples if options.eval_data else subject.labelled
    data = _preview(options.data, subject, calibration)
    eval_data = _preview(options.eval_data, subject, subject.labelled)
    job.progress(0.5, 1, "Timing int8 on this machine")
    cache = TimingCache(options.timings or {}, subject.backend.version())
    outlook = _outlook(options, subject, host, cache, job) if options.outlook else None
    return PreflightResult(data, eval_data, outlook, cache.timings)


def _preview(
    path: Path | None, subject: LoadedModel, opened: Callable[[Path, int | None], Dataset]
) -> DataPreview | DataProblem | None:
    if not path:
        return None
    try:
        return _described(opened(path, None), subject)
    except StudioError as error:
        return DataProblem(error.message, error.hint)


def _described(dataset: Dataset, subject: LoadedModel) -> DataPreview:
    labels: Counter[str] = Counter()
    kinds: set[str] = set()
    samples: list[SamplePreview] = []
    shapes: dict[str, str] = {}
    every = max(1, len(dataset) // _SHOWN)
    for index, sample in enumerate(dataset):
        if index % every == 0 and len(samples) < _SHOWN:
            samples.append(_sample(sample))
        if not shapes:
            shapes = {name: _shape(array) for name, array in sample.feeds.items()}
        if sample.label is None or index >= _LABELS_LOOKED_AT:
            if len(samples) == min(_SHOWN, len(dataset)):
                break
            continue
        labels[str(sample.label)] += 1
        kinds.add("class" if isinstance(sample.label, int) else "text")
    return DataPreview(
        len(dataset),
        tuple(InputShape(value.name, shapes[value.name]) for value in subject.inputs),
        LabelKind(next(iter(kinds), None), len(labels)),
        tuple(samples),
    )


def _sample(sample: Sample) -> SamplePreview:
    label = None if sample.label is None else str(sample.label)
    return SamplePreview(sample.name, label, drawn(sample.feeds))


def _shape(array: Array) -> str:
    return str(TensorType(array.dtype.name, tuple(array.shape)))


def _outlook(
    options: PreviewOptions, subject: LoadedModel, host: PluginHost, cache: TimingCache, job: Job
) -> SpeedupOutlook | None:
    preset = Preset.of(options.preset, options.preset_name)
    transform: Transform = host.get(Extension.TRANSFORM, preset.method)
    measure: Measure | None = getattr(transform, "outlook", None)
    if measure is None:
        return None
    graph = read_model(subject.path, Phase(job, 0.5, 0.6), host=host).sized.graph
    estimate = predict(graph, cache.measured(preset.options, shapes_to_time(graph), measure))
    if options.trial and options.data:
        preset = preset.for_transform(transform.options)
        return _tried(options.data, subject, preset, transform, job, estimate)
    return estimate.outlook()


def _tried(
    data: Path,
    subject: LoadedModel,
    preset: Preset,
    transform: Transform,
    job: Job,
    estimate: SpeedupEstimate,
) -> SpeedupOutlook:
    """Return the outlook of a timed variant, or a sentence why it cannot be created."""
    try:
        feeds = next(iter(open_dataset(data, subject.inputs, 1))).feeds
        time = tried(subject, transform, preset, feeds, job.folder, Phase(job, 0.6, 1))
    except StudioError as error:
        sentence = f"No. {error.message}"
        return replace(estimate.outlook(), low=1.0, high=1.0, sentence=sentence)
    return replace(estimate.with_trial(time.low, time.high).outlook(), ratio=time.ratio)


_QUICK: Mapping[str, object] = {"calibration": "minmax", "correct_biases": False}
"""Options without effect on the kernels that save time, set where the method has them."""


def tried(
    subject: LoadedModel,
    transform: Transform,
    preset: Preset,
    feeds: Feeds,
    folder: Path,
    progress: Progress,
) -> Latency:
    """Create a preset's variant from one sample, and time it against the float model.

    Raises:
        StudioError: when it cannot be made; in one sentence.
    """
    known = {option.name for option in transform.options}
    options = {**preset.options, **{k: v for k, v in _QUICK.items() if k in known}}
    made = transform.apply(
        subject.path, folder / "trial.onnx", options, _SingleSample(feeds), Phase(progress, 0, 0.5)
    )
    return timed(subject, made.path, feeds, Phase(progress, 0.5, 1, "Timing"))


class _SingleSample:
    """A dataset of one sample."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Sample]:
        yield Sample(self._feeds)
