"""The work of the step: error and time of all layers alone, and the metric of the worst ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Dataset, Extension, InvalidData, Progress, Transform
from studio.evaluation.judge import Evaluator, dictionary_for
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.plugin_host import PluginHost
from studio.quantization.float_nodes import with_float_nodes
from studio.quantization.preset import Preset
from studio.quantization.results import FloatMetric, LayerCost, SensitivityResult
from studio.quantization.step import SensitivityOptions
from studio.quantization.tuner import Cost, Tuner, tuner_of

_BITS = 8


def measure(options: SensitivityOptions, job: Job) -> SensitivityResult:
    """Rank the layers, the one that disturbs the outputs most first.

    Raises:
        UsageError: when the method has no layers to choose from, or the metric no labels.
        InvalidData, InvalidModel: for what does not fit, in one sentence.
    """
    begin = time.monotonic()
    host = PluginHost.discover()
    reading = Phase(job, 0, 0.02)
    subject = LoadedModel.of(options.model, host, reading, label_map=options.label_map)
    preset = Preset.from_options(options)
    transform: Transform = host.get(Extension.TRANSFORM, preset.method)
    preset = preset.for_transform(transform.options)
    preset, unkept = with_float_nodes(preset, options.float_nodes, subject.nodes)
    if unkept:
        job.log(unkept)
    make = tuner_of(transform, "Use static-int8, the default.")
    data = subject.samples(options.data, preset.samples)
    judged = _judged(options, subject, host)
    folder = job.folder / "tuner"
    folder.mkdir()
    tuner = make(subject.path, folder, preset.options, data, Phase(job, 0.02, 0.5))
    costs = tuner.costs(Phase(job, 0.5, 0.7))
    layers = sorted(
        (_layer(name, cost) for name, cost in costs.items()), key=lambda layer: layer.sqnr_db
    )
    count = options.metric_layers
    metric, worst = _by_metric(tuner, subject, judged, layers[:count], job)
    return SensitivityResult(
        model=subject.title,
        layers=(*worst, *layers[count:]),
        metric=metric,
        signature=options.signature,
        backend=subject.runtime,
        seconds=round(time.monotonic() - begin, 3),
        preset=preset.to_json(),
    )


def _layer(name: str, cost: Cost) -> LayerCost:
    return LayerCost(
        name=name,
        bits=_BITS,
        sqnr_db=round(cost.sqnr_db, 3),
        float_us=round(cost.float_us, 2),
        int8_us=round(cost.int8_us, 2),
        gain_us=round(cost.gain_us, 2),
    )


def _judged(
    options: SensitivityOptions, subject: LoadedModel, host: PluginHost
) -> tuple[Evaluator, Dataset] | None:
    """Return the metric with its samples, if labelled data were given."""
    if options.eval_data is None:
        return None
    data = subject.labelled(options.eval_data, options.eval_samples)
    dictionary = dictionary_for(options.eval_data, options.dictionary)
    judge = Evaluator.choose(host, options.metric, data, dictionary)
    if judge is None:
        raise InvalidData(
            "No metric fits the evaluation data: it has no labels.",
            hint="Add labels, or omit --eval-data.",
        )
    return judge, data


def _by_metric(
    tuner: Tuner,
    subject: LoadedModel,
    judged: tuple[Evaluator, Dataset] | None,
    layers: Sequence[LayerCost],
    job: Job,
) -> tuple[FloatMetric | None, list[LayerCost]]:
    """Return the float model's metric, and the layers with the decrease that each causes."""
    if judged is None or not layers:
        return None, list(layers)
    judge, data = judged
    before = _score(judge, subject, None, data, Phase(job, 0.7, 0.72, "Evaluating in float"))
    one = job.folder / "one.onnx"
    measured = []
    for index, layer in enumerate(layers):
        share = 0.28 / len(layers)
        phase = Phase(job, 0.72 + index * share, 0.72 + (index + 1) * share, layer.name)
        made = tuner.write(one, [name for name in tuner.layers if name != layer.name])
        drop = judge.drop(before, _score(judge, subject, made.path, data, phase))
        measured.append(replace(layer, drop=round(drop, 9)))
        made.path.unlink()
    return FloatMetric(judge.metric.id, judge.metric.title, before, len(data)), measured


def _score(
    judge: Evaluator, subject: LoadedModel, path: Path | None, data: Dataset, progress: Progress
) -> float:
    session = subject.scoring(path, alone=judge.by_reference)
    exact = subject.session() if judge.by_reference else None
    try:
        return judge.score(session, data, progress, exact)
    finally:
        for each in (session, exact):
            if each is not None:
                each.close()
