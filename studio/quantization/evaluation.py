"""The work of the step evaluate, in a worker."""

from __future__ import annotations

import time
from contextlib import closing

from studio.api import Dataset, Session, TargetSpec, UsageError
from studio.evaluation.judge import Evaluator, Scored, dictionary_for
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.on_target import TargetSession
from studio.evaluation.results import EvaluationResult, MetricValue, TargetEvaluation
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.models.kinds import kind_of
from studio.plugin_host import PluginHost
from studio.quantization.heldout import Heldout
from studio.quantization.step import EvaluateOptions

_NAMED = 200
"""Most regressed and improved samples to name."""


def evaluate(options: EvaluateOptions, job: Job) -> EvaluationResult:
    """Score a model on labelled data.

    Raises:
        UsageError: when the data has no labels, or the metric cannot be chosen.
    """
    return kind_of(options.model).stage("evaluate", _evaluate)(options, job)


def _evaluate(options: EvaluateOptions, job: Job) -> EvaluationResult:
    if options.data is None:
        raise UsageError("An evaluation needs labelled samples.", hint="Pass --data.")
    begin = time.monotonic()
    host = PluginHost.discover()
    subject = LoadedModel.of(options.model, host, Phase(job, 0, 0.02), (), options.label_map)
    dataset = subject.labelled(options.data, options.samples)
    dictionary = dictionary_for(options.data, options.dictionary)
    judge = Evaluator.choose(host, options.metric, dataset, dictionary, options.outputs)
    if judge is not None and judge.by_reference:
        raise UsageError(
            f"{judge.metric.title} compares a variant with its float model; a single model "
            "has no baseline.",
            hint="Measure it for a new variant: studio quantize --metric",
        )
    if judge is None:
        raise UsageError(
            "No metric fits this data: it has no labels.",
            hint="Add labels to the data.",
        )
    given = options.heldout_data
    held = subject.labelled(given, options.samples) if given else None
    unseen = Heldout.of(held, judge, host)
    target = options.target
    is_remote = target is not None and not target.url.startswith("local:")
    session = subject.scoring()
    whole = Phase(job, 0.02, 0.4 if is_remote else 1)
    middle = 1 if unseen.data is None else 0.5
    here = judge.scored(session, dataset, Phase(whole, 0, middle, "Evaluating"))
    heldout = unseen.scored(session, judge, Phase(whole, middle, 1, "Evaluating on held-out data"))
    there = None
    if target is not None and is_remote:
        there = _elsewhere(subject, host, target, judge, dataset, here, session, job)
    session.close()
    return EvaluationResult(
        model=subject.title,
        metric=MetricValue(judge.metric.id, judge.metric.title, here.value),
        samples=len(dataset),
        backend=subject.runtime,
        target=there,
        seconds=round(time.monotonic() - begin, 3),
        heldout=heldout,
        notes=(unseen.note,) if unseen.note else (),
    )


def _elsewhere(
    subject: LoadedModel,
    host: PluginHost,
    target: TargetSpec,
    judge: Evaluator,
    dataset: Dataset,
    here: Scored,
    like: Session,
    job: Job,
) -> TargetEvaluation:
    """Evaluate with a target's runtime; return the differences from this computer."""
    answers = TargetSession(subject, host, target, job.folder, job)
    with closing(answers.begin(dataset, like)) as session:
        there = judge.scored(session, dataset, Phase(job, 0.4, 1, f"Evaluating on {target.name}"))
    lost, gained = here.changed(there)
    return TargetEvaluation(
        name=target.name,
        value=there.value,
        drop=round(judge.drop(here.value, there.value), 9),
        runtime=answers.about.runtime,
        version=answers.about.version,
        lost=lost[:_NAMED],
        gained=gained[:_NAMED],
        changed=(len(lost), len(gained)),
    )
