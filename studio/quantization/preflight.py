"""The pre-flight check of a quantization, in a worker: data, estimate, one timed int8 model.

Kernel times do not depend on activation ranges, so one sample calibrates the timed model. The
layers that a search would keep in float are not known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import (
    Dataset,
    Extension,
    Feeds,
    Graph,
    Progress,
    Sample,
    StudioError,
    TensorType,
    Transform,
)
from studio.datasets import open_dataset
from studio.evaluation.comparison import Latency
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Arguments, Job, Result
from studio.jobs.phases import Phase
from studio.models.opening import look
from studio.plugin_host import PluginHost
from studio.quantization.input_preview import drawn
from studio.quantization.preset import Preset
from studio.quantization.speedup import SpeedupEstimate, predict, wanted
from studio.quantization.step import QUANTIZE
from studio.quantization.timing_cache import TimingCache
from studio.quantization.variant_timing import timed

_LABELS_LOOKED_AT = 2000
_SHOWN = 4


def preview(arguments: Arguments, job: Job) -> Result:
    """Tell what can be told before the work; data that do not fit are a sentence, not a failure.

    Returns:
        ``timings``: what is kept for the next time; ``data`` and ``eval_data`` (None where none
        was given): ``problem`` and ``hint``, or ``count``, ``inputs``, ``labels`` and a few
        ``samples``, drawn; ``outlook``, None where the method has none.
    """
    host = PluginHost.discover()
    subject = LoadedModel.of(arguments["model"], host, Phase(job, 0, 0.2))
    found: Result = {name: _found(arguments.get(name), subject) for name in ("data", "eval_data")}
    job.progress(0.5, 1, "Timing int8 on this machine")
    found["outlook"] = _outlook(arguments, subject, host, job) if arguments["outlook"] else None
    found["timings"] = arguments.get("timings")
    return found


def _found(path: str | None, subject: LoadedModel) -> dict[str, Any] | None:
    if not path:
        return None
    try:
        dataset = open_dataset(Path(path), subject.inputs)
        return _described(dataset, subject)
    except StudioError as error:
        return {"problem": error.message, "hint": error.hint}


def _described(dataset: Dataset, subject: LoadedModel) -> dict[str, Any]:
    labels: Counter[str] = Counter()
    kinds: set[str] = set()
    samples: list[dict[str, Any]] = []
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
    return {
        "count": len(dataset),
        "inputs": [{"name": v.name, "found": shapes[v.name]} for v in subject.inputs],
        "labels": {"kind": next(iter(kinds), None), "different": len(labels)},
        "samples": samples,
    }


def _sample(sample: Sample) -> dict[str, Any]:
    label = None if sample.label is None else str(sample.label)
    return {"name": sample.name, "label": label, "input": drawn(sample.feeds)}


def _shape(array: Any) -> str:
    return str(TensorType(array.dtype.name, tuple(array.shape)))


def _outlook(
    arguments: Arguments, subject: LoadedModel, host: PluginHost, job: Job
) -> Mapping[str, Any] | None:
    defaults = {
        option.name: option.check(option.default)
        for option in QUANTIZE.form
        if option.default is not None
    }
    preset = Preset.of({**defaults, **{k: arguments.get(k) for k in ("preset", "preset_name")}})
    transform = host.get(Extension.TRANSFORM, preset.method)
    measure = getattr(transform, "outlook", None)
    if measure is None:
        return None
    graph = look(subject.path, Phase(job, 0.5, 0.6), host=host).sized.graph
    outlook = predict(graph, _measured(graph, measure, preset.options, arguments, subject))
    if arguments.get("trial") and arguments.get("data"):
        return _tried(
            arguments, subject, preset.for_transform(transform.options), transform, job, outlook
        )
    return outlook.to_json()


def _measured(
    graph: Graph,
    measure: Callable[..., Mapping[str, Any]],
    options: Mapping[str, Any],
    arguments: Arguments,
    subject: LoadedModel,
) -> Mapping[str, Any]:
    """What was timed before by this runtime, and now the layers that were not."""
    kept = TimingCache(arguments, subject.backend.version(), options)
    shapes = wanted(graph)
    missing = [shape for shape in shapes if shape.key not in kept.layers]
    if missing or not kept.whole:
        kept.add(measure(options, missing))
    return kept.whole


def _tried(
    arguments: Arguments,
    subject: LoadedModel,
    preset: Preset,
    transform: Transform,
    job: Job,
    outlook: SpeedupEstimate,
) -> Mapping[str, Any]:
    """The outlook of a model that was made and timed; why it cannot be made is a sentence."""
    try:
        feeds = next(iter(open_dataset(Path(arguments["data"]), subject.inputs, 1))).feeds
        time = tried(subject, transform, preset, feeds, job.folder, Phase(job, 0.6, 1))
    except StudioError as error:
        return {**outlook.to_json(), "low": 1.0, "high": 1.0, "sentence": f"No. {error.message}"}
    return {**outlook.with_trial(time.low, time.high).to_json(), "ratio": time.ratio}


_QUICK: Mapping[str, Any] = {"calibration": "minmax", "correct_biases": False}
"""What changes no kernel and takes time; asked for where the method knows it."""


def tried(
    subject: LoadedModel,
    transform: Transform,
    preset: Preset,
    feeds: Feeds,
    folder: Path,
    progress: Progress,
) -> Latency:
    """Make the variant of a preset from one sample, and time it beside the float model.

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
