"""The comparison of a converted model with its original, in its own framework."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy

from studio.api import (
    Array,
    Feeds,
    Graph,
    InvalidModel,
    Progress,
    Session,
    Value,
)
from studio.conversion.errors import Worst
from studio.conversion.results import ConversionCheck
from studio.datasets.opening import open_dataset
from studio.datasets.synthetic import accepted_feeds
from studio.lazy_dataclass import dataclass

Ranges = Mapping[str, Sequence[Sequence[float]]]

_SAMPLES = 4
_MORE_SAMPLES = 32
_SMALL = 4096
"""Numbers of a request, over all inputs, up to which more samples cost next to nothing."""

_BATCH = 3
"""Size of the batch of one more request, where the batch is open."""

_FOLDERS = ("samples", "answers", "tool")
_VALUE = "value/"
"""Start of the keys of intermediate values in an answer."""

_QUANTIZED = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})


class Answering(Protocol):
    """A converter or compiler that runs models outside of this process."""

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str] | None:
        """Run a model as ``Converter.answer`` does."""


Observe = Callable[[Mapping[str, Array], Mapping[str, Array]], None]


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model of another framework, with what runs it.

    Attributes:
        framework: Name and version.
        ranges: Those of its converter for made-up samples.
        samples: Those that its converter made up itself.
        slow: It may leave the last requests without an answer, but not the first.
    """

    converter: Answering
    path: Path
    framework: str
    ranges: Ranges = field(default_factory=dict)
    samples: Path | None = None
    slow: bool = False

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
            samples, answers, tool = _folders(Path(scratch))
            names = write_samples(feeds, samples)
            self.converter.answer(self.path, samples, answers, tool, progress)
            for at, name in enumerate(names):
                if at and self.slow and not (answers / name).exists():
                    return
                yield _read(answers / name, outputs)

    def places(self, values: Sequence[str], folder: Path, progress: Progress) -> Mapping[str, str]:
        """Return those of the ONNX model's values that it has, with their places in the source.

        Args:
            folder: For temporary files.

        Raises:
            InvalidModel: when it cannot be read.
        """
        with TemporaryDirectory(dir=folder) as scratch:
            folders = _folders(Path(scratch))
            found = self.converter.answer(self.path, *folders, progress, values=values)
            return found or {}

    @contextmanager
    def values(
        self,
        feeds: Feeds,
        values: Sequence[str],
        outputs: Sequence[str],
        folder: Path,
        progress: Progress,
    ) -> Iterator[Mapping[str, Array]]:
        """Give the values of the ONNX model that it has, and outputs, for a request.

        Each is read when it is looked up.

        Args:
            folder: For temporary files.

        Raises:
            InvalidModel: when it does not run on the request.
        """
        with TemporaryDirectory(dir=folder) as scratch:
            samples, answers, tool = _folders(Path(scratch))
            (name,) = write_samples([feeds], samples)
            self.converter.answer(self.path, samples, answers, tool, progress, values=values)
            with numpy.load(answers / name, allow_pickle=False) as arrays:
                yield _Named(arrays, values, outputs)


class _Named(Mapping[str, Array]):
    """Arrays of an answer under the names of the ONNX model's values; each is read when needed."""

    def __init__(
        self, arrays: Mapping[str, Array], values: Sequence[str], outputs: Sequence[str]
    ) -> None:
        keys = {name: f"{_VALUE}{at}" for at, name in enumerate(values)}
        keys.update({name: str(at) for at, name in enumerate(outputs)})
        self._arrays = arrays
        self._keys = {name: key for name, key in keys.items() if key in arrays}

    def __getitem__(self, name: str) -> Array:
        return self._arrays[self._keys[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _folders(scratch: Path) -> tuple[Path, Path, Path]:
    """Make the folders of an answer: samples, answers, and that of the tool."""
    samples, answers, tool = (scratch / name for name in _FOLDERS)
    for one in (samples, answers, tool):
        one.mkdir()
    return samples, answers, tool


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
) -> tuple[ConversionCheck, Feeds]:
    """Run a converted model and its original on the same requests.

    Returns:
        The check, and the request with the largest error.

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
    return worst.check(original.framework, len(feeds)), feeds[worst.request]


def compare_export(
    made: ForeignModel,
    session: Session,
    against: str,
    feeds: Sequence[Feeds],
    folder: Path,
    job: Progress,
    observe: Observe | None = None,
) -> tuple[ConversionCheck, Feeds]:
    """Run an ONNX model and what was made of it on the same requests.

    Returns:
        The check, and the request with the largest error.

    Args:
        session: The ONNX model.
        against: Name and version of its runtime.
        folder: For temporary files.
        observe: Gets the outputs of the new model and of the ONNX model for each request.

    Raises:
        InvalidModel: when the new model does not run on them, or has other outputs.
        Unavailable: when its framework does not run here.
    """
    worst = Worst(session.output_names)
    found = made.answers(feeds, session.output_names, folder, job)
    for feed, answer in zip(feeds, found, strict=not made.slow):
        job.check()
        wanted = session.run(feed)
        worst.add(answer, wanted)
        if observe is not None:
            observe(answer, wanted)
    return worst.check(against, worst.requests), feeds[worst.request]


def is_quantized(graph: Graph) -> bool:
    """Whether a model rounds to steps of integers, which each framework does in its own order."""
    return any(node.operator in _QUANTIZED for node in graph.nodes)


def write_samples(feeds: Sequence[Feeds], folder: Path) -> list[str]:
    """Write a file for each request (see ``Converter.answer``); return their names in order."""
    names = [f"{number:07}.npz" for number in range(len(feeds))]
    for name, feed in zip(names, feeds, strict=True):
        write_request(folder / name, feed)
    return names


def write_request(path: Path, feeds: Feeds) -> None:
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
