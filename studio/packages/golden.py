"""Golden samples: inputs, and what the model answers to them here."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy

from studio.api import Array, Feeds, InvalidData, Session, StudioError, Value
from studio.datasets.synthetic import open_sizes, random_feeds
from studio.lazy_dataclass import dataclass

_RELATIVE = {"fp16": 1e-2, "bf16": 5e-2, "int8": 5e-2, "int4": 1e-1}
_RELATIVE_FLOAT = 1e-3

MOST_VALUES = 4096
"""Most values of one output of one sample; more could be larger than the model."""

EXTREMES = 512
"""Among them the largest: of a classifier's many zeros most say little."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Tolerance of an answer against the golden one: ``atol + rtol * |golden|``."""

    rtol: float
    atol: float


@dataclass(frozen=True, slots=True)
class GoldenSample:
    """One input with the outputs that it gave."""

    feeds: Feeds
    outputs: Mapping[str, Array]


def answer(session: Session, feeds: Iterable[Feeds]) -> list[GoldenSample]:
    """Run the model on each input."""
    return [GoldenSample(one, session.run(one)) for one in feeds]


_LEAST_MADE_UP = 1e-6
"""A detector finds nothing in noise: its answers are zeros and the rounding errors of float32."""


def tolerance(
    samples: Sequence[GoldenSample],
    precision: str,
    relative: float | None,
    *,
    made_up: bool = False,
) -> Tolerance:
    """Return the tolerance for a precision, scaled by the outputs.

    Other processors round otherwise: by some ulp in fp32, by whole quantization steps in int8.

    Args:
        relative: Overrides what follows from the precision.
        made_up: The inputs are random, so that the outputs may be small by chance.
    """
    share = _RELATIVE.get(precision, _RELATIVE_FLOAT) if relative is None else relative
    sizes = [
        float(numpy.abs(array[numpy.isfinite(array)]).max(initial=0.0))
        for sample in samples
        for array in sample.outputs.values()
        if array.dtype.kind == "f"
    ]
    scale = min((size for size in sizes if size > 0), default=1.0)
    least = _LEAST_MADE_UP if made_up and relative is None else 0.0
    # Two digits say enough, and keep the manifest readable.
    return Tolerance(share, float(f"{max(share * scale, least):.2g}"))


def random_samples(session: Session, inputs: Sequence[Value], count: int) -> list[GoldenSample]:
    """Return answers to random inputs, with the first dynamic size that the model accepts.

    Raises:
        InvalidData: when it accepts none.
    """
    reason = ""
    for size in open_sizes(inputs):
        feeds = random_feeds(inputs, count, size)
        try:
            return answer(session, feeds)
        except StudioError as error:
            reason = reason or error.message
    raise InvalidData(
        f"The model does not run with random inputs. {reason}",
        hint="Pass samples with --data.",
    )


def write(samples: Sequence[GoldenSample], folder: Path) -> Iterator[Path]:
    """Write ``000.npz`` and so on with the answers, ``inputs/000.npz`` with what they answer.

    Equal samples give equal bytes. The inputs are files of their own, as they are the same for the
    next version of a model. Of a large output some values are kept and where they lie.
    """
    (folder / "inputs").mkdir(parents=True)
    for number, sample in enumerate(samples):
        name = f"{number:03}.npz"
        _write_npz(folder / "inputs" / name, {f"in.{k}": v for k, v in sample.feeds.items()})
        arrays: dict[str, Array] = {}
        for output, array in sample.outputs.items():
            arrays |= _stored_values(output, array)
        _write_npz(folder / name, arrays)
        yield folder / name


def _stored_values(name: str, array: Array) -> dict[str, Array]:
    """Return a small output whole; of a large one the extremes and evenly spread values."""
    if array.size <= MOST_VALUES or array.dtype.kind not in "fiub":
        return {f"out.{name}": array}
    flat = array.reshape(-1)
    sizes = numpy.abs(numpy.nan_to_num(flat.astype(numpy.float64)))
    largest = numpy.argpartition(sizes, -EXTREMES)[-EXTREMES:]
    spread = numpy.linspace(0, array.size - 1, MOST_VALUES - EXTREMES).astype(numpy.int64)
    places = numpy.union1d(largest, spread)
    return {
        f"out.{name}": flat[places],
        f"at.{name}": places,
        f"shape.{name}": numpy.asarray(array.shape, numpy.int64),
    }


def _write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy")  # with the fixed date of 1980
            with archive.open(member, "w", force_zip64=True) as file:
                array = numpy.ascontiguousarray(arrays[name])
                if array.dtype.hasobject:
                    array = array.astype(str)
                numpy.lib.format.write_array(file, array, allow_pickle=False)


_FLAT, _DEEP = (0, 1), (0, 1, 2, 4, 5)
"""What an axis of scores may hold beside the classes: nothing, or a background. Where there are
scores for many places: also a blank and a space (text), the four sides of a box, or those and its
score."""


def check_labels(labels: Path | None, samples: Sequence[GoldenSample]) -> None:
    """Compare the number of labels with the model's golden outputs.

    A model that answers with numbers of classes, or with no axis of scores at all, cannot be held
    against them.

    Raises:
        InvalidData: when no output has as many classes.
    """
    if labels is None or not samples:
        return
    try:
        text = labels.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidData(f"{labels.name} is no text in UTF-8.") from None
    count = len(text.splitlines())
    outputs = samples[0].outputs.values()
    if any(array.dtype.kind != "f" for array in outputs):
        return
    axes = [(size, array.ndim) for array in outputs for size in array.shape[1:] if size > 1]
    if axes and not any(size - count in (_FLAT if rank == 2 else _DEEP) for size, rank in axes):
        sizes = " or ".join(str(size) for size in sorted({size for size, _ in axes}))
        raise InvalidData(
            f"{labels.name} has {count} labels, and the model's outputs have {sizes} values.",
            hint="Pass the labels of the training, one per line, in order.",
        )
