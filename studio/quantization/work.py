"""The work of the stage, done in a worker: transform, compare, judge."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.api import Dataset, Extension, GateMissed, Session, TargetSpec, Transform, UsageError
from studio.datasets import open_dataset
from studio.evaluation.comparison import Latency, OutputError, output_errors
from studio.evaluation.judge import Evaluator, Scored, dictionary_for
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.on_target import TargetSession
from studio.jobs import Arguments, Job, Result
from studio.jobs.phases import Phase
from studio.models.opening import look, write_graph
from studio.plugin_host import PluginHost
from studio.quantization.advice import advice, doubts
from studio.quantization.layer_search import LayerSearch, halves
from studio.quantization.methods import check_method
from studio.quantization.preset import Preset
from studio.quantization.search_strategy import Goal
from studio.quantization.variant_details import describe
from studio.quantization.variant_timing import timed

_COMPARED = 32
"""Samples whose outputs are compared; the error settles after a few."""

_NAMED = 200
"""So many lost and gained samples are named."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The task metric of both models.

    Attributes:
        drop: How much worse it has become, without the noise of a float's last bits; negative
            when it is better.
        lost, gained: Names of samples that are read worse, or better, than by the float model.
        changed: How many were lost and gained, named or not.
    """

    name: str
    title: str
    before: float
    after: float
    drop: float
    samples: int
    lost: list[str]
    gained: list[str]
    changed: list[int]


def quantize(arguments: Arguments, job: Job) -> Result:
    """Make the variant below ``job.folder`` and compare it with the float model.

    Raises:
        UsageError, InvalidData, InvalidModel: for what does not fit, in one sentence.
        GateMissed: when the metric fell by more than ``max_drop``.
    """
    begin = time.monotonic()
    host = PluginHost.discover()
    states = arguments.get("recurrent") or ()
    subject = LoadedModel.of(arguments["model"], host, Phase(job, 0, 0.02), states)
    preset, transform = _plan(arguments, host)
    data = _data(arguments.get("data"), subject, preset.samples)
    if transform.needs_data and data is None:
        raise UsageError(
            f"The method {preset.method} needs calibration data.",
            hint="Give --data: a folder or .npz of samples, or of images with preprocess.toml.",
        )
    judged = _data(_eval_path(arguments), subject, arguments.get("eval_samples"))
    heldout = _data(arguments.get("heldout_data"), subject, arguments.get("eval_samples"))
    judge = _judge(arguments, host, heldout if judged is None else judged, job)
    output = job.folder / f"{subject.path.stem}.{preset.method}.onnx"
    found: dict[str, Any] | None = None
    notes = []
    if arguments.get("search"):
        given = heldout
        goal, seen, heldout = _searched(arguments, judge, judged, heldout)
        if given is None:
            notes.append(_shared(len(seen[1]), len(heldout)))
        work = LayerSearch(subject, seen[0], seen[1], job, arguments)
        made, found = work.run(transform, output, preset.options, data, goal)
    else:
        fed = None if data is None else subject.whole_feeds(data)
        made = transform.apply(subject.path, output, preset.options, fed, Phase(job, 0.02, 0.5))
    judged = judged if heldout is None else heldout
    errors, time_taken = _compare(subject, made.path, data if judged is None else judged, job)
    verdict = _verdict(judge, subject, made.path, judged, job)
    _hold(arguments, verdict, time_taken, made.precision)
    shown = data if judged is None else judged
    details = describe(subject, made, shown, _changed(verdict), _dictionary(judge), job)
    opened = look(made.path, Phase(job, 0.98, 0.99), host=host)
    graph = write_graph(opened, job.folder, Phase(job, 0.99, 1))
    size = sum(file.stat().st_size for file in opened.files)
    return {
        "file": made.path.name,
        "graph": graph.name,
        "summary": opened.figures(),
        "precision": made.precision,
        **_preset_keys(preset),
        "facts": dict(made.facts),
        "details": details,
        "bytes": {"before": subject.nbytes, "after": size},
        "size_ratio": size / subject.nbytes,
        "metric": asdict(verdict) if verdict else None,
        "outputs": [asdict(error) for error in errors],
        "sqnr_db": min((error.sqnr_db for error in errors), default=None),
        "latency_ratio": time_taken and time_taken.ratio,
        "latency_interval": time_taken and [time_taken.low, time_taken.high],
        "threads": time_taken and time_taken.threads,
        "advice": advice(
            made.precision,
            (time_taken.low, time_taken.high) if time_taken else None,
            min((error.sqnr_db for error in errors), default=None),
            verdict.drop if verdict else None,
            doubts(data) if transform.needs_data else "",
            size / subject.nbytes,
        ),
        "notes": notes,
        "search": found,
        "peak_memory_mb": round(_peak_memory_mb(), 1),
        "seconds": round(time.monotonic() - begin, 3),
        "cpu_seconds": round(time.process_time(), 3),
    }


def evaluate(arguments: Arguments, job: Job) -> Result:
    """Score a model on labelled data.

    Raises:
        UsageError: when the data has no labels, or the metric cannot be chosen.
    """
    begin = time.monotonic()
    host = PluginHost.discover()
    subject = LoadedModel.of(arguments["model"], host, Phase(job, 0, 0.02))
    path = Path(arguments["data"])
    dataset = open_dataset(path, subject.inputs, arguments.get("samples"))
    dictionary = dictionary_for(path, arguments.get("dictionary"))
    judge = Evaluator.choose(host, arguments["metric"], dataset, dictionary)
    if judge is not None and judge.by_reference:
        raise UsageError(
            f"{judge.metric.title} compares with a float model, and one model alone has none.",
            hint="studio quantize --metric tells it of a new variant.",
        )
    if judge is None:
        raise UsageError(
            "No metric fits this data: it has no labels, or text labels without a dictionary.",
            hint="Give labelled data, and --dictionary for a text recogniser.",
        )
    target = arguments.get("target")
    elsewhere = target is not None and not target["url"].startswith("local:")
    session = subject.scoring()
    phase = Phase(job, 0.02, 0.4 if elsewhere else 1, "Evaluating")
    here = judge.scored(session, dataset, phase)
    result = {
        "model": f"{subject.ref.model_name}:{subject.ref.name}",
        "metric": {"name": judge.metric.id, "title": judge.metric.title, "value": here.value},
        "samples": len(dataset),
        "backend": {"id": subject.backend.id, "version": subject.backend.version()},
        "target": None,
    }
    if target is not None and elsewhere:
        spec = TargetSpec(**target)
        result["target"] = _elsewhere(subject, host, spec, judge, dataset, here, session, job)
    session.close()
    return {**result, "seconds": round(time.monotonic() - begin, 3)}


def _elsewhere(
    subject: LoadedModel,
    host: PluginHost,
    target: TargetSpec,
    judge: Evaluator,
    dataset: Dataset,
    here: Scored,
    like: Session,
    job: Job,
) -> dict[str, Any]:
    """The same by the runtime of a target, and what it reads otherwise than this computer."""
    answers = TargetSession(subject, host, target, job.folder, job)
    session = answers.begin(dataset, like)
    try:
        there = judge.scored(session, dataset, Phase(job, 0.4, 1, f"Evaluating on {target.name}"))
    finally:
        session.close()
    lost, gained = here.changed(there)
    return {
        "name": target.name,
        "value": there.value,
        "drop": round(judge.drop(here.value, there.value), 9),
        "runtime": answers.about.get("runtime"),
        "version": answers.about.get("version"),
        "lost": list(lost[:_NAMED]),
        "gained": list(gained[:_NAMED]),
        "changed": [len(lost), len(gained)],
    }


def _searched(
    arguments: Arguments, judge: Evaluator | None, judged: Dataset | None, heldout: Dataset | None
) -> tuple[Goal, tuple[Evaluator, Dataset], Dataset]:
    """What a search needs: the goal, the metric with its samples, the samples of the verdict.

    Raises:
        UsageError: when one is missing.
    """
    goal = Goal(arguments.get("max_drop"), arguments.get("max_latency_ratio"))
    if judge is None or judged is None:
        raise UsageError(
            "A search needs a metric that it can measure.",
            hint="Give --eval-data with labels, or --metric sqnr.",
        )
    if heldout is None:
        judged, heldout = halves(judged, apart=bool(arguments.get("recurrent")))
    return goal, (judge, judged), heldout


def _shared(chosen: int, judged: int) -> str:
    """Where the evaluation data went that a search divided."""
    return (
        f"Of the {chosen + judged:,} evaluation samples {chosen:,} chose the layers and "
        f"{judged:,} others give the metric; --heldout-data leaves all of them to the choice."
    )


def _preset_keys(preset: Preset) -> Result:
    """The preset under today's keys and, until 0.3, under the former ones."""
    settings, text = preset.to_json(), preset.to_text()
    return {"preset": settings, "preset_text": text, "recipe": settings, "recipe_text": text}


def _plan(arguments: Arguments, host: PluginHost) -> tuple[Preset, Transform]:
    preset = Preset.of(arguments)
    check_method(preset.method, host)
    transform: Transform = host.get(Extension.TRANSFORM, preset.method)
    return preset.for_transform(transform.options), transform


def _data(path: str | None, subject: LoadedModel, limit: int | None) -> Dataset | None:
    return subject.samples(Path(path), limit) if path else None


def _eval_path(arguments: Arguments) -> str | None:
    path: str | None = arguments.get("eval_data") or arguments.get("data")
    return path


def _compare(
    subject: LoadedModel, made: Path, dataset: Dataset | None, job: Job
) -> tuple[Sequence[OutputError], Latency | None]:
    """Errors at the outputs and the time of both models; nothing without samples."""
    if dataset is None:
        return (), None
    before, after = subject.session(threads=1), subject.session(made, threads=1)
    try:
        total = min(_COMPARED, len(dataset))
        step = 1 if subject.fed else len(dataset) // total
        chosen = (s for i, s in enumerate(dataset) if i % step == 0 and i // step < total)
        phase = Phase(job, 0.5, 0.6, "Comparing the outputs")
        errors = output_errors(before, after, chosen, total, phase)
    finally:
        before.close()
        after.close()
    feeds = next(iter(dataset)).feeds
    return errors, timed(subject, made, feeds, Phase(job, 0.6, 0.65, "Timing"))


def _judge(
    arguments: Arguments, host: PluginHost, dataset: Dataset | None, job: Job
) -> Evaluator | None:
    """The metric that will be measured; decided before the long work begins.

    Raises:
        UsageError: when there is a limit but nothing to hold against it.
    """
    judge = None
    if dataset is not None:
        dictionary = dictionary_for(Path(str(_eval_path(arguments))), arguments.get("dictionary"))
        judge = Evaluator.choose(host, arguments["metric"], dataset, dictionary)
    if judge is None and arguments.get("max_drop") is not None:
        raise UsageError(
            "A largest loss was given, but no metric can be measured.",
            hint="Give --eval-data with labels, and --dictionary where the labels are texts.",
        )
    if judge is None:
        job.log("No task metric: there are no labels, or texts without a dictionary.")
    return judge


def _verdict(
    judge: Evaluator | None, subject: LoadedModel, made: Path, dataset: Dataset | None, job: Job
) -> _Verdict | None:
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
    return _Verdict(
        judge.metric.id,
        judge.metric.title,
        before.value,
        after.value,
        round(judge.drop(before.value, after.value), 9),
        len(dataset),
        list(lost[:_NAMED]),
        list(gained[:_NAMED]),
        [len(lost), len(gained)],
    )


def _hold(
    arguments: Arguments, verdict: _Verdict | None, time_taken: Latency | None, precision: str
) -> None:
    """Compare the loss and the time with the limits.

    Raises:
        GateMissed: when one is larger.
    """
    limit, slowest = arguments.get("max_drop"), arguments.get("max_latency_ratio")
    if verdict is not None and limit is not None and verdict.drop > limit:
        raise GateMissed(
            f"Metric drop of {precision} is {verdict.drop:.4f} {verdict.title.lower()} "
            f"({verdict.before:.4f} to {verdict.after:.4f}, {verdict.samples} samples), over "
            f"the budget of {limit:g}. The variant was discarded.",
            hint="Use --search to keep sensitive layers in float, or add calibration samples.",
        )
    # A ratio whose interval reaches below the limit is not shown to miss it.
    if time_taken is not None and slowest is not None and time_taken.low > slowest:
        raise GateMissed(
            f"{precision} takes {time_taken.ratio:.2f} of the float model's time "
            f"({time_taken.low:.2f} to {time_taken.high:.2f}), more than the {slowest:g} that is "
            "accepted; the variant was not kept.",
            hint="Let --search choose layers that stay in float, or use fewer of them.",
        )


def _changed(verdict: _Verdict | None) -> dict[str, str]:
    """What happened to the samples that are read otherwise than by the float model."""
    if verdict is None:
        return {}
    return {**dict.fromkeys(verdict.lost, "lost"), **dict.fromkeys(verdict.gained, "gained")}


def _dictionary(judge: Evaluator | None) -> Path | None:
    path = judge.options.get("dictionary") if judge is not None else None
    return Path(path) if path else None


def _peak_memory_mb() -> float:
    """Of this process, or of the largest that it started (a quantizer of a plugin)."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in both) / 1024
