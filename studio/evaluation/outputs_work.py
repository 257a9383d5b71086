"""Work of the step ``project-outputs``, in a worker: the model is run there alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from studio.api import Feeds, InvalidData, InvalidModel, Session, UsageError
from studio.datasets import open_dataset
from studio.datasets.synthetic import accepted_feeds
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.outputs_step import SETTINGS, OutputsOptions
from studio.evaluation.results import OutputsResult
from studio.evaluation.sample_work import answered, whole_picture
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.models.outputs.draft import (
    AnsweredSample,
    check_settings,
    outputs_text,
    recognised_choice,
)
from studio.models.outputs.words import in_words
from studio.plugin_host import PluginHost
from studio.runtime.serve.decoders.settings import OutputSettings

_FILE = "outputs.toml"


def find_outputs(options: OutputsOptions, job: Job) -> OutputsResult:
    """Run one sample, and return the settings that are given or recognised.

    Raises:
        InvalidModel: when the outputs have no known form and no task is given.
        InvalidData: when the outputs do not have the form that is given.
        UsageError: for settings that do not fit each other.
    """
    subject = LoadedModel.of(options.model, PluginHost.discover(), Phase(job, 0, 0.3))
    job.progress(0.5, 1, "Running a sample")
    with closing(subject.session()) as session:
        feeds = _feeds(subject, session, options)
        outputs = session.run(feeds)
    place = whole_picture(subject.inputs, feeds)
    sample = answered(outputs, place, options.labels, options.dictionary)
    choice = _choice(sample, options)
    settings = _settings(choice)
    check_settings(settings, sample, _FILE)
    return OutputsResult(outputs_text(choice), in_words(settings))


def _feeds(subject: LoadedModel, session: Session, options: OutputsOptions) -> Feeds:
    if options.data is None:
        return accepted_feeds(session, subject.inputs, 1)[0]
    sample = next(iter(open_dataset(options.data, subject.inputs, 1)), None)
    if sample is None:
        raise InvalidData(f"{options.data.name} has no samples.")
    return sample.feeds


def _choice(sample: AnsweredSample, options: OutputsOptions) -> Mapping[str, object]:
    """Return what is given over what is recognised, where both are of one task and head."""
    every = {name: getattr(options, name) for name in SETTINGS}
    given = {name: value for name, value in every.items() if value is not None}
    known = recognised_choice(sample) or {}
    if any(given.get(name, known.get(name)) != known.get(name) for name in ("task", "head")):
        known = {name: value for name, value in known.items() if name == "task"}
    found = {**known, **given}
    if "task" not in found:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in sample.outputs.items())
        raise InvalidModel(
            f"The outputs have no form that is known: {shapes}.",
            hint="Give --task, and --head for objects. docs/outputs.md has their values.",
        )
    return found


def _settings(choice: Mapping[str, object]) -> OutputSettings:
    try:
        return OutputSettings.from_json(choice)
    except ValueError as error:
        raise UsageError(f"The settings do not fit: {error}", hint="See docs/outputs.md.") from None
