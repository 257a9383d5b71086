"""The reference for drift: which signals a model has, their bins, and what chance alone may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy

from studio.api import Array
from studio.runtime.drift.columns import column_names, evidence_limit, run_limit
from studio.runtime.drift.limits import (
    FALSE_TOGETHER,
    FALSE_WINDOWS,
    alike_counts,
    chance_limit,
    edges_of,
)
from studio.runtime.drift.reference import (
    EMBEDDING,
    MAX_COLUMNS,
    MAX_SIGNALS,
    OF_LAST,
    WINDOW,
    Estimate,
    Reference,
    Signal,
    Tap,
)
from studio.runtime.drift.signals import (
    AXIS,
    MOST_CLASSES,
    MOST_USUAL,
    STRIPS,
    Block,
    FrameSampler,
    bins_of,
    count,
    names_of,
)

FEWEST = 64
"""Frames below which their quantiles say too little."""
_SMALLEST = 16
_OF_TABLES = 10.0
"""How much seldomer other signals of a tabular model may alarm: its columns see the same."""
_AXES = 4
_FLAT = 1e-3
_PICTURE_CHANNELS = (1, 3, 4)

Frame = tuple[Mapping[str, Array], Mapping[str, Array]]


def reference_of(frames: Iterable[Frame], columns: Sequence[str] = ()) -> Reference | None:
    """Return the reference from some frames, or None if they are too few or have no signals.

    Args:
        frames: Inputs and outputs of runs of the model on typical data; each row is a frame.
        columns: Names of the columns of a tabular input with as many.
    """
    rows = list(_rows(frames))
    tables = list(_column_taps(rows, columns))
    taps = [*(_single_output(tap) if tables else tap for tap in _taps(rows)), *tables]
    if len(rows) < FEWEST or not taps:
        return None
    reference = _reference(_numbers(rows, taps), taps)
    return reference and reference._replace(unwatched=tuple(_unwatched(rows[0], reference)))


def _reference(numbers: Array, taps: Sequence[Tap]) -> Reference | None:
    names = [name for tap in taps for name in names_of(tap)]
    unseen = numbers[1::2]  # by the choice of the axes, which suit best those that they came from
    judged = [unseen if AXIS in name else numbers for name in names]
    bins = {column: edges_of(judged[column][:, column]) for column in range(len(names))}
    bins = {column: edges for column, edges in bins.items() if edges}
    if not bins:
        return None
    tables = {name for tap in taps if tap.kind == "columns" for name in names_of(tap)}
    single = sum(names[column] in tables for column in bins)
    others = (len(bins) - single) * (_OF_TABLES if single else 1.0)
    together = others * (_OF_TABLES if single else 1.0)
    signals = []
    for column, edges in bins.items():
        upper = numpy.array([edges], numpy.float32)
        values = judged[column][:, column : column + 1]
        counted = count(bins_of(values, upper), len(edges) + 1)[0]
        counts = tuple(int(number) for number in counted)
        if names[column] in tables:
            limit, run = evidence_limit(single), run_limit(values[:, 0], single)
            signals.append(Signal(names[column], column, edges, counts, limit, limit, run))
            continue
        bins_by_size = alike_counts(counts)
        limit = chance_limit(bins_by_size, WINDOW, FALSE_WINDOWS / others)
        of_last = chance_limit(bins_by_size, OF_LAST * WINDOW, FALSE_TOGETHER / together)
        signals.append(Signal(names[column], column, edges, counts, limit, of_last))
    return Reference(len(numbers), WINDOW, tuple(taps), tuple(signals))


def _rows(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield the frames of each run, one by one."""
    for inputs, outputs in frames:
        arrays = [array for array in (*inputs.values(), *outputs.values()) if array.ndim]
        for row in range(min((len(array) for array in arrays), default=0)):
            yield _row(inputs, row), _row(outputs, row)


def _row(arrays: Mapping[str, Array], row: int) -> dict[str, Array]:
    return {name: array[row] for name, array in arrays.items() if array.ndim}


def _taps(rows: Sequence[Frame]) -> list[Tap]:
    """Return one tap for each tensor that has signals, as many as there is room for."""
    if not rows:
        return []
    inputs = [_input_tap(name, _shape(rows, 0, name), rows) for name in rows[0][0]]
    outputs = [_output_tap(name, _shape(rows, 1, name), rows) for name in rows[0][1]]
    # The embedding first: of the most signals there are it is never without room.
    found = [tap for tap in (*outputs, *inputs) if tap is not None]
    found.sort(key=lambda tap: tap.kind != "embedding")
    chosen: list[Tap] = []
    for tap in found:
        others = {other.side for other in chosen if other.kind != "embedding"}
        first = tap.side not in others and tap.kind != "embedding"
        axes = _axes(tap, rows) if first else None
        full = tap._replace(axes=axes)
        if sum(len(names_of(one)) for one in (*chosen, full)) <= MAX_SIGNALS:
            chosen.append(full)
    return chosen


def _column_taps(rows: Sequence[Frame], given: Sequence[str]) -> Iterator[Tap]:
    """Yield a tap for each input that is a row of a table, as many as there is room for."""
    room = MAX_COLUMNS
    for name in rows[0][0] if rows else ():
        shape = _shape(rows, 0, name)
        if shape is None or not _is_numeric(rows, 0, name):
            continue
        size = _size(shape)
        if 0 < size <= room and (size < _SMALLEST or len(shape) == 1):
            room -= size
            names = column_names(name, size, given)
            yield Tap("input", name, "columns", shape, strips=STRIPS, columns=names)


def unwatched_notes(reference: Reference | None, *, has_data: bool) -> Iterator[str]:
    """Yield a note about what no drift is watched of."""
    if reference is not None:
        if reference.unwatched:
            yield f"Drift is not watched in: {', '.join(reference.unwatched)}."
    elif has_data:
        yield f"Drift is not watched: the data has fewer than {FEWEST} samples that vary."
    else:
        yield "Drift is not watched: no data is given (--data DATA)."


def _single_output(tap: Tap) -> Tap:
    """Return the tap of a table's answer, which is a column where it is one number."""
    if tap.kind != "values" or _size(tap.shape) != 1:
        return tap
    return Tap(tap.side, tap.name, "columns", tap.shape, strips=STRIPS, columns=(tap.name,))


def _unwatched(frame: Frame, reference: Reference) -> Iterator[str]:
    """Yield each input, output and column without a signal, with the reason."""
    signals = {one.name for one in reference.signals}
    for side, arrays in zip(("input", "output"), frame, strict=True):
        for name, array in arrays.items():
            taps = [one for one in reference.taps if (one.side, one.name) == (side, name)]
            names = [name for tap in taps for name in names_of(tap)]
            if not taps:
                numeric = array.dtype.kind in "fiu"
                why = "sizes differ, or too many signals" if numeric else "not a number"
                yield f"{side} {name} ({why})"
            elif signals.isdisjoint(names):
                yield f"{side} {name} (constant in the reference data)"
            elif any(tap.kind == "columns" for tap in taps):
                constant = [one for one in names if one not in signals]
                yield from (f"{one} (constant in the reference data)" for one in constant)


def _axes(tap: Tap, rows: Sequence[Frame]) -> Array | None:
    """Return the principal axes of a tensor's samples, along which frames differ."""
    sampler = FrameSampler(tap, len(rows))
    chosen = rows[::2]
    for place, row in enumerate(chosen):
        sampler.sample(place, row[0 if tap.side == "input" else 1][tap.name])
    samples = sampler.samples(len(chosen)).astype(float)
    if len(chosen) < FEWEST or not numpy.isfinite(samples).all() or samples.shape[1] <= _AXES:
        return None
    centred = samples - samples.mean(axis=0)
    _, sizes, axes = numpy.linalg.svd(centred, full_matrices=False)
    axes = axes[: min(_AXES, int((sizes > _FLAT * sizes.max(initial=0)).sum()))]
    return axes.T.astype(numpy.float16).astype(numpy.float32) if len(axes) else None


def _shape(rows: Sequence[Frame], side: int, name: str) -> tuple[int, ...] | None:
    """Return the shape of its frames, 0 where it differs; None where the number of axes does."""
    shapes = {row[side][name].shape for row in rows}
    if len({len(shape) for shape in shapes}) != 1:
        return None
    return tuple(sizes[0] if len(set(sizes)) == 1 else 0 for sizes in zip(*shapes, strict=True))


def _input_tap(name: str, shape: tuple[int, ...] | None, rows: Sequence[Frame]) -> Tap | None:
    if shape is None or not _is_numeric(rows, 0, name) or 0 < _size(shape) < _SMALLEST:
        return None
    if len(shape) == 3 and (shape[0] in _PICTURE_CHANNELS or shape[2] in _PICTURE_CHANNELS):
        innermost = 1 if shape[0] in _PICTURE_CHANNELS else shape[2]
        return Tap("input", name, "picture", shape, innermost, strips=STRIPS)
    return Tap("input", name, "series", shape, strips=STRIPS) if shape else None


def _output_tap(name: str, shape: tuple[int, ...] | None, rows: Sequence[Frame]) -> Tap | None:
    if not shape or not _is_numeric(rows, 1, name):
        return None
    if name == EMBEDDING:
        return Tap("output", name, "embedding", shape)
    kind = "values"
    values = rows[0][1][name].reshape(-1)[: shape[-1] or 1].astype(float)
    sums_to_one = float(values.min()) >= 0 and abs(float(values.sum()) - 1.0) < 1e-2
    if sums_to_one and shape[-1] > MOST_CLASSES:
        kind = "usual"
    elif shape[-1] >= 2 and sums_to_one:
        kind = "probabilities"
    elif len(shape) == 1 and 2 <= shape[-1] <= MOST_CLASSES:
        kind = "logits"
    classes = _usual(name, rows) if kind == "usual" else ()
    return Tap("output", name, kind, shape, classes=classes, strips=STRIPS)


def _usual(name: str, rows: Sequence[Frame]) -> tuple[int, ...]:
    """Return the most frequent classes in the answers."""
    counts: Counter[int] = Counter()
    for _, outputs in rows:
        shares = outputs[name]
        counts.update(shares.reshape(-1, shares.shape[-1]).argmax(axis=1).tolist())
    return tuple(sorted(number for number, _ in counts.most_common(MOST_USUAL)))


def _is_numeric(rows: Sequence[Frame], side: int, name: str) -> bool:
    return all(row[side][name].dtype.kind in "fiu" for row in rows[:1])


def _size(shape: Sequence[int]) -> int:
    return int(numpy.prod(shape, dtype=numpy.int64))


def numbers_of(frames: Iterable[Frame], taps: Sequence[Tap]) -> Array:
    """Return all numbers of the taps, frames x numbers."""
    return _numbers(list(_rows(frames)), taps)


def _numbers(rows: Sequence[Frame], taps: Sequence[Tap]) -> Array:
    block = Block(taps, len(rows))
    for inputs, outputs in rows:
        block.add([(inputs if tap.side == "input" else outputs)[tap.name] for tap in taps])
    return block.numbers()


_KINDS = ("logits", "probabilities")


def estimate_of(
    reference: Reference, frames: Sequence[Frame], labels: Sequence[object]
) -> Estimate | None:
    """Return the accuracy estimate for data without labels, from labelled reference data.

    None where they are no numbers of classes, too few, or all answers are right: then nothing
    shows a wrong one; or all are wrong.

    Args:
        frames: Inputs and outputs of runs with one row each.
        labels: Of each run; None where it has none.
    """
    taps = reference.taps
    tap = next((one for one in taps if one.kind in _KINDS and len(one.shape) == 1), None)
    pairs = [
        (frame, label)
        for frame, label in zip(frames, labels, strict=True)
        if isinstance(label, int | numpy.integer)
    ]
    if tap is None or len(pairs) < FEWEST or len(pairs) != len(frames):
        return None
    answers = [frame[1][tap.name] for frame, _ in pairs]
    if any(len(answer) != 1 for answer in answers):
        return None
    right = sum(
        int(answer.argmax()) == int(label)
        for answer, (_, label) in zip(answers, pairs, strict=True)
    )
    if not 0 < right < len(pairs):
        return None
    names = [name for one in taps for name in names_of(one)]
    column = names.index(f"{tap.name}.confidence")
    ordered = numpy.sort(numbers_of(frames, taps)[:, column])
    wrong = len(pairs) - right
    # Half-way between two values: another processor rounds otherwise.
    threshold = float(ordered[wrong - 1] + ordered[wrong]) / 2
    return Estimate(column, threshold, right, len(pairs))
