"""The input arrays of a bench: from a file, or random values of the right type and shape."""

from __future__ import annotations

import numpy

from .arrays import Array, load_arrays
from .config import FeedPlan
from .errors import BenchError
from .events import DeclaredInput
from .facts import InputFeed

IMAGE_SIDE = 224
"""Assumed for an unknown height or width of an input of rank 4, where 1 would leave nothing."""

LENGTHS = (1, 16, 128, 512)
"""Tried in turn for other sizes that nobody gave, until the model runs: a recurrent or spectral one
refuses a single step."""

_NAMED = (("batch", 1), ("channel", 3), ("height", IMAGE_SIDE), ("width", IMAGE_SIDE))
_SEQUENCES = ("seq", "length", "len", "token", "frame", "time")
_SEQUENCE = 128
"""What is assumed by the model's own name of a size."""


def resolve(declared: DeclaredInput, plan: FeedPlan, length: int = 1) -> InputFeed:
    """Give every axis of an input a size.

    Args:
        length: Size of an open axis whose place and name give no hint.

    Raises:
        BenchError: when a given shape contradicts the model.
    """
    name, shape = declared.name, declared.shape
    given = plan.shapes.get(name)
    if given is not None:
        _check_shape(name, shape, given)
        return InputFeed(name, declared.dtype, tuple(given))
    sizes = []
    assumed = []
    for axis, size in enumerate(shape):
        named = size if isinstance(size, str) else ""
        if named:
            size = plan.symbols.get(named)
        if not isinstance(size, int) or size < 0:
            assumed.append(axis)
            size = _assumed(named.lower(), axis, len(shape), length)
        sizes.append(size)
    return InputFeed(name, declared.dtype, tuple(sizes), tuple(assumed))


def _assumed(name: str, axis: int, rank: int, length: int) -> int:
    for word, size in _NAMED:
        if word in name:
            return size
    if axis > 0 and any(word in name for word in _SEQUENCES):
        return max(_SEQUENCE, length)
    if rank == 4 and axis >= 2:
        return IMAGE_SIDE
    return 1 if axis == 0 else length


def build(
    declared: list[DeclaredInput], plan: FeedPlan, length: int = 1
) -> tuple[dict[str, Array], list[InputFeed]]:
    """Make the arrays for all inputs of the reference.

    Args:
        length: See ``resolve``.

    Returns:
        The arrays by input name, and how each input was resolved.

    Raises:
        BenchError: when the file lacks an input or does not fit, or nothing can be made up.
    """
    if plan.npz:
        return _from_file(declared, plan.npz)
    unknown = sorted(set(plan.shapes) - {each.name for each in declared})
    if unknown:
        known = ", ".join(each.name for each in declared)
        raise BenchError(f"The model has no input {unknown[0]!r}; its inputs are {known}.")
    random = numpy.random.RandomState(plan.seed)
    inputs = [resolve(each, plan, length) for each in declared]
    return {each.name: _random(random, each) for each in inputs}, inputs


def batched(
    declared: list[DeclaredInput], inputs: list[InputFeed], batch: int
) -> tuple[list[InputFeed], dict[str, tuple[int, ...]]]:
    """Return the inputs for a batch of samples, and the axes along which each one grows.

    The batch is the first axis of the first input that leaves it open. If that size has a name,
    every axis of that name grows: a recurrent state has it second. Otherwise the first open axis
    of each input grows.

    Raises:
        BenchError: when the model fixes the size, or more than one sample is fed already.
    """
    first = next((each.shape[0] for each in declared if each.shape and _open(each)), 0)
    if first == 0:
        raise BenchError("The model fixes the size of its batch.")
    axes = {each.name: _axes(each.shape, first) for each in declared}
    grown = []
    for each in inputs:
        shape = list(each.shape)
        for axis in axes[each.name]:
            if shape[axis] != 1:
                raise BenchError(f"The input {each.name!r} has {shape[axis]} samples already.")
            shape[axis] = batch
        grown.append(InputFeed(each.name, each.dtype, tuple(shape), each.assumed))
    return grown, axes


def tiled(array: Array, axes: tuple[int, ...], batch: int) -> Array:
    """Repeat a sample to a batch."""
    for axis in axes:
        array = numpy.repeat(array, batch, axis=axis)
    return array


def _open(declared: DeclaredInput) -> bool:
    size = declared.shape[0]
    return not isinstance(size, int) or size < 0


def _axes(shape: list[int | str | None], first: int | str | None) -> tuple[int, ...]:
    if isinstance(first, str):
        return tuple(axis for axis, size in enumerate(shape) if size == first)
    return (0,) if shape and (shape[0] is None or shape[0] == first) else ()


def _from_file(
    declared: list[DeclaredInput], path: str
) -> tuple[dict[str, Array], list[InputFeed]]:
    try:
        arrays = load_arrays(path)
    except ValueError as error:
        raise BenchError(f"{error}.") from error
    inputs = []
    for each in declared:
        if each.name not in arrays:
            raise BenchError(f"The data holds no array for the input {each.name!r}.")
        array = arrays[each.name]
        _check_shape(each.name, each.shape, list(array.shape))
        inputs.append(InputFeed(each.name, each.dtype, array.shape))
    return {each.name: arrays[each.name] for each in inputs}, inputs


def _check_shape(name: str, wanted: list[int | str | None], given: list[int]) -> None:
    fits = len(wanted) == len(given) and all(
        not isinstance(want, int) or want < 0 or want == have for want, have in zip(wanted, given)
    )
    if not fits:
        shape = "x".join("?" if not isinstance(size, int) else str(size) for size in wanted)
        have = "x".join(map(str, given))
        raise BenchError(f"The input {name!r} has the shape {shape}, which {have} does not fit.")


def _random(random: numpy.random.RandomState, each: InputFeed) -> Array:
    if each.dtype == "str":
        # Texts that can be read as numbers: a model may do that first.
        return random.randint(0, 2, each.shape).astype(str)
    kind = numpy.dtype(each.dtype)
    if kind.kind in "iub":
        # 0 and 1 are valid indices nearly everywhere, larger ones are not.
        return random.randint(0, 2, each.shape).astype(kind)
    return random.random_sample(each.shape).astype(kind)
