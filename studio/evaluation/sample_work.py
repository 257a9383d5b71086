"""Work of the step ``sample``, in a worker: whatever the data is, it is decoded there alone."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from studio.api import Array, Dataset, Feeds, InvalidData, Sample, Session, StudioError, Value
from studio.datasets import open_dataset
from studio.datasets.images import read_picture
from studio.datasets.input_preview import drawn, thumbnail
from studio.datasets.results import DrawnInput
from studio.datasets.subset import spread
from studio.datasets.suffixes import IMAGES
from studio.datasets.text_lines import text_lines
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.results import SampleResult, SampleRun
from studio.evaluation.sample_step import SampleOptions
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.models.answers import OutputReader
from studio.models.outputs.draft import AnsweredSample, outputs_text, recognised_choice
from studio.models.outputs.words import in_words
from studio.plugin_host import PluginHost
from studio.runtime.serve.decoders.settings import OutputSettings
from studio.runtime.serve.images.preprocess import PicturePlacement

_SIDE = 96
"""Most pixels of a drawn sample in each direction."""

_MOST_FILES = 5000
"""Entries of a folder that are looked at for pictures."""

_RUNS = 5


def run_sample(options: SampleOptions, job: Job) -> SampleResult:
    """Run the first sample, and draw some; data that do not fit give a sentence, not an error.

    Raises:
        InvalidModel, Unavailable: when the model cannot be loaded at all.
    """
    subject = LoadedModel.of(options.model, PluginHost.discover(), Phase(job, 0, 0.3))
    files = _files(options.data)
    pictures, unreadable = _thumbnails(files, options.pictures, job)
    try:
        dataset = open_dataset(options.data, subject.inputs, max(1, options.pictures))
        if not files:
            pictures = _drawn(dataset, options.pictures)
        run = _run(subject, dataset, options, job)
    except StudioError as error:
        return SampleResult(None, error.message, error.hint, pictures, unreadable)
    return SampleResult(run, "", "", pictures, unreadable)


def _run(subject: LoadedModel, dataset: Dataset, options: SampleOptions, job: Job) -> SampleRun:
    sample = next(iter(dataset), None)
    if sample is None:
        raise InvalidData(f"{options.data.name} has no samples.")
    job.progress(0.7, 1, "Running a sample")
    reader = OutputReader(text_lines(options.labels), text_lines(options.dictionary))
    with closing(subject.session()) as session:
        outputs = session.run(sample.feeds)
        milliseconds = _milliseconds(session, sample)
    place = whole_picture(subject.inputs, sample.feeds)
    answer = reader.read(outputs, place)
    choice = recognised_choice(answered(outputs, place, options.labels, options.dictionary))
    return SampleRun(answer, sample.name, milliseconds, *_meaning(choice))


def _meaning(choice: Mapping[str, object] | None) -> tuple[str, str]:
    """Return the text of an ``outputs.toml``, and what it means in one line."""
    if choice is None:
        return "", ""
    return outputs_text(choice), in_words(OutputSettings.from_json(choice))


def answered(
    outputs: Mapping[str, Array],
    place: PicturePlacement | None,
    labels: Path | None,
    dictionary: Path | None,
) -> AnsweredSample:
    """Return the outputs of one sample with what is known about them."""
    first = {name: array[:1] if array.ndim > 2 else array for name, array in outputs.items()}
    size = (place.height, place.width) if place is not None else None
    return AnsweredSample(first, size, tuple(text_lines(labels)), tuple(text_lines(dictionary)))


def _milliseconds(session: Session, sample: Sample) -> float:
    """Return the median of a few runs; a slow model is run once more only."""
    times: list[float] = []
    while len(times) < _RUNS and sum(times) < 1:
        begin = time.perf_counter()
        session.run(sample.feeds)
        times.append(time.perf_counter() - begin)
    return round(1000 * statistics.median(times), 3)


def whole_picture(inputs: Sequence[Value], feeds: Feeds) -> PicturePlacement | None:
    """Return the place of a picture that fills the only input; None for other inputs."""
    array = feeds[inputs[0].name]
    if len(inputs) != 1 or array.ndim != 4:
        return None
    sides = array.shape[2:] if array.shape[1] in (1, 3) else array.shape[1:3]
    return PicturePlacement(0, 0, *sides, *sides)


def _files(data: Path) -> list[Path]:
    """Return the pictures of a folder, in the order of its samples."""
    if not data.is_dir():
        return []
    every = itertools.islice(data.rglob("*"), _MOST_FILES)
    return sorted(one for one in every if one.suffix.lower() in IMAGES and one.is_file())


def _thumbnails(files: Sequence[Path], most: int, job: Job) -> tuple[tuple[DrawnInput, ...], int]:
    """Return small pictures of some files, and how many of these cannot be read."""
    found: list[DrawnInput] = []
    chosen = [files[index] for index in spread(len(files), most)] if most else []
    for number, file in enumerate(chosen):
        job.progress(0.3 + 0.3 * number / len(chosen), 1, "Reading pictures")
        try:
            found.append(thumbnail(read_picture(file), _SIDE))
        except (InvalidData, MemoryError):
            continue
    return tuple(found), len(chosen) - len(found)


def _drawn(dataset: Dataset, most: int) -> tuple[DrawnInput, ...]:
    """Return the samples of arrays that are pictures."""
    every = (drawn(sample.feeds, _SIDE) for sample in itertools.islice(dataset, most))
    return tuple(one for one in every if one.kind == "picture")
