"""The comparison of a converted model with its original, in its own framework."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy

from studio.api import (
    Array,
    Converter,
    Feeds,
    Graph,
    InvalidModel,
    Progress,
    Session,
    Value,
)
from studio.conversion.results import ConversionCheck
from studio.datasets.opening import open_dataset
from studio.datasets.synthetic import accepted_feeds

Ranges = Mapping[str, Sequence[Sequence[float]]]

_SAMPLES = 4
_MORE_SAMPLES = 32
_SMALL = 4096
"""Numbers of a request, over all inputs, up to which more samples cost next to nothing."""

_BATCH = 3
"""Size of the batch of one more request, where the batch is open."""

_RANKS = (2, 3)
"""Of outputs whose last axis has classes; in maps of four axes it is the width."""

_FOLDERS = ("samples", "answers", "tool")

_QUANTIZED = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})

_TINY = 1e-3
"""Smallest scale of an error: below it, an output is compared absolutely.

What is left of sums that cancel, such as the probability 1e-5 of a detector that sees noise, keeps
few digits of float32.
"""


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model of another framework, with what runs it.

    Attributes:
        framework: Name and version.
        ranges: Those of its converter for made-up samples.
        samples: Those that its converter made up itself.
    """

    converter: Converter
    path: Path
    framework: str
    ranges: Ranges = field(default_factory=dict)
    samples: Path | None = None

    def answers(
        self, feeds: Sequence[Feeds], outputs: Sequence[str], folder: Path, progress: Progress
    ) -> Iterator[dict[str, Array]]:
        """Yield the outputs for each request, under the names of the ONNX model's.

        Args:
            folder: For temporary files.

        Raises:
            InvalidModel: when it does not run on them, or has other outputs.
        """
        with TemporaryDirectory(dir=folder) as scratch:
            samples, answers, tool = (Path(scratch, name) for name in _FOLDERS)
            for one in (samples, answers, tool):
                one.mkdir()
            names = write_samples(feeds, samples)
            self.converter.answer(self.path, samples, answers, tool, progress)
            for name in names:
                yield _read(answers / name, outputs)


def requests(
    session: Session,
    inputs: Sequence[Value],
    data: Path | None,
    original: ForeignModel | None = None,
) -> list[Feeds]:
    """Return requests that a model accepts: of the data, else made up.

    Args:
        original: Knows what made-up requests should look like.

    Raises:
        InvalidData: when the data does not fit, or no request can be made up.
        InvalidModel: when the model does not run on any.
    """
    if data is not None:
        return [sample.feeds for sample in open_dataset(data, inputs, _SAMPLES)]
    ranges = original.ranges if original else {}
    if original is not None and original.samples is not None:
        own = open_dataset(original.samples, inputs, _MORE_SAMPLES)
        found = [sample.feeds for sample in own]
    else:
        found = [_ranged(feeds, ranges) for feeds in _made_up(session, inputs)]
    return [*found, _batched(found[0])] if _has_open_batch(inputs) else found


def _made_up(session: Session, inputs: Sequence[Value]) -> list[Feeds]:
    try:
        found = accepted_feeds(session, inputs, _SAMPLES)
        is_small = sum(array.size for array in found[0].values()) <= _SMALL
        return accepted_feeds(session, inputs, _MORE_SAMPLES) if is_small else found
    except InvalidModel as error:
        raise InvalidModel(f"The model does not run on random inputs: {error.message}") from None


def _ranged(feeds: Feeds, ranges: Ranges) -> Feeds:
    """Return the same with values between the lowest and the highest, evenly spread.

    Raises:
        InvalidModel: for ranges that do not fit; they come from the process that read the model.
    """
    found = dict(feeds)
    try:
        for name, (low, high) in ranges.items():
            array = numpy.asarray(found[name])
            lowest, highest = (
                numpy.broadcast_to(numpy.asarray(one, numpy.float64), array.shape)
                for one in (low, high)
            )
            share = (1 + numpy.tanh(array)) / 2
            found[name] = (lowest + share * (highest - lowest)).astype(array.dtype)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidModel("The converter's ranges of samples do not fit the inputs.") from None
    return found


def _has_open_batch(inputs: Sequence[Value]) -> bool:
    shapes = [value.type.shape for value in inputs if value.type and value.type.shape]
    return bool(shapes) and all(not isinstance(shape[0], int) for shape in shapes)


def _batched(feeds: Feeds) -> Feeds:
    return {name: numpy.repeat(array, _BATCH, axis=0) for name, array in feeds.items()}


def compare_import(
    original: ForeignModel, session: Session, feeds: Sequence[Feeds], folder: Path, job: Progress
) -> ConversionCheck:
    """Run a converted model and its original on the same requests.

    Args:
        session: The converted model.
        folder: For temporary files.

    Raises:
        InvalidModel: when the original does not run on them, or has other outputs.
    """
    worst = Worst(session.output_names)
    wanted = original.answers(feeds, session.output_names, folder, job)
    for feed, answer in zip(feeds, wanted, strict=True):
        job.check()
        worst.add(session.run(feed), answer)
    return worst.check(original.framework, len(feeds))


def compare_export(
    made: ForeignModel,
    session: Session,
    against: str,
    feeds: Sequence[Feeds],
    folder: Path,
    job: Progress,
) -> ConversionCheck:
    """Run an ONNX model and what was made of it on the same requests.

    Args:
        session: The ONNX model.
        against: Name and version of its runtime.
        folder: For temporary files.

    Raises:
        InvalidModel: when the new model does not run on them, or has other outputs.
        Unavailable: when its framework does not run here.
    """
    worst = Worst(session.output_names)
    found = made.answers(feeds, session.output_names, folder, job)
    for feed, answer in zip(feeds, found, strict=True):
        job.check()
        worst.add(answer, session.run(feed))
    return worst.check(against, len(feeds))


def is_quantized(graph: Graph) -> bool:
    """Whether a model rounds to steps of integers, which each framework does in its own order."""
    return any(node.operator in _QUANTIZED for node in graph.nodes)


class Worst:
    """The largest error over all outputs and requests.

    Attributes:
        error: Relative to the largest absolute value of the original's output.
        output: Where it is.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rows = self._equal = 0
        self.error = 0.0
        self.output = ""

    @property
    def argmax_equal(self) -> float | None:
        """Share of rows whose largest value is at the same place; None without such rows."""
        return self._equal / self._rows if self._rows else None

    def check(self, against: str, samples: int) -> ConversionCheck:
        """Return the comparison so far.

        Args:
            against: Name and version of the original's framework.
        """
        return ConversionCheck(against, samples, self.error, self.argmax_equal, self.output)

    def add(self, found: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
        """Compare the outputs of one request.

        Raises:
            InvalidModel: when an output has another shape.
        """
        for name in self._names:
            ours, theirs = numpy.asarray(found[name]), numpy.asarray(wanted[name])
            if ours.shape != theirs.shape:
                raise InvalidModel(
                    f"The output {name!r} has the shape {ours.shape} after the conversion, "
                    f"and {theirs.shape} in the original."
                )
            error = relative_error(ours, theirs)
            if error > self.error or not self.output:
                self.error, self.output = error, name
            self._count(ours, theirs)

    def _count(self, ours: Array, theirs: Array) -> None:
        if theirs.dtype.kind == "f" and theirs.ndim in _RANKS and theirs.shape[-1] > 1:
            same = ours.argmax(-1) == theirs.argmax(-1)
            self._rows += same.size
            self._equal += int(same.sum())


def relative_error(ours: Array, theirs: Array) -> float:
    """Largest absolute difference over the largest absolute value; 1 where NaN meets a number."""
    if theirs.dtype.kind not in "fiub":
        return 0.0 if numpy.array_equal(ours, theirs) else 1.0
    one, other = ours.astype(numpy.float64), theirs.astype(numpy.float64)
    if not other.size:
        return 0.0
    finite = numpy.isfinite(other)
    with numpy.errstate(invalid="ignore"):
        same = (one == other) | (numpy.isnan(one) & numpy.isnan(other))
    if not same[~finite].all() or not numpy.isfinite(one[finite]).all():
        return 1.0
    if not finite.any():
        return 0.0
    least = _TINY if theirs.dtype.kind == "f" else 1.0
    scale = max(float(numpy.abs(other[finite]).max()), least)
    return float(numpy.abs(one[finite] - other[finite]).max()) / scale


def write_samples(feeds: Sequence[Feeds], folder: Path) -> list[str]:
    """Write a file for each request (see ``Converter.answer``); return their names in order."""
    names = [f"{number:07}.npz" for number in range(len(feeds))]
    for name, feed in zip(names, feeds, strict=True):
        _write(folder / name, feed)
    return names


def _write(path: Path, feeds: Feeds) -> None:
    """Write arrays under their own names, of which ``numpy.savez`` takes some for its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in feeds.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                plain = numpy.asarray(array)
                if plain.dtype.kind == "O":  # texts, which would become pickles
                    plain = plain.astype(str)
                numpy.lib.format.write_array(member, plain, allow_pickle=False)


def _read(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Return the original's outputs under the names of the converted model's.

    Raises:
        InvalidModel: when there are others.
    """
    try:
        with numpy.load(path, allow_pickle=False) as arrays:
            found = list(_in_order(arrays))
    except (OSError, ValueError, zipfile.BadZipFile):
        raise InvalidModel("The original's answers cannot be read.") from None
    if len(found) != len(names):
        raise InvalidModel(
            f"The original has {len(found)} outputs, and the converted model {len(names)}."
        )
    return dict(zip(names, found, strict=True))


def _in_order(arrays: Mapping[str, Array]) -> Iterator[Array]:
    for number in range(len(arrays)):
        if str(number) not in arrays:
            raise ValueError("outputs are numbered")
        yield arrays[str(number)]
