"""Datasets of arrays: one ``.npz`` or ``.npy`` file, or a folder with one file a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from studio.api import Array, InvalidData, Sample, Value
from studio.datasets.fit import conform, shape_fits
from studio.datasets.label_map import LabelMap
from studio.datasets.labels import LABEL_KEYS, Label, labels_of_array
from studio.datasets.rows import Rows, keys
from studio.datasets.subset import spread
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class _Column:
    """One input's array, cut into samples.

    Attributes:
        length: Rows that make up one sample; 0 where all samples share the one array.
        whole: A row is a sample with its batch axis (the array has one axis more than the input).
    """

    value: Value
    rows: Rows
    length: int
    whole: bool

    @classmethod
    def of(cls, value: Value, rows: Rows) -> _Column:
        shape = value.type.shape if value.type else None
        if shape is None:
            return cls(value, rows, 1, False)
        if not rows.shape and not shape:
            return cls(value, rows, 0, False)
        if len(rows.shape) == len(shape) + 1:
            return cls(value, rows, 1, True)
        batch = shape[0] if shape and isinstance(shape[0], int) and shape[0] > 0 else 1
        return cls(value, rows, batch, False)

    @property
    def count(self) -> int | None:
        """Number of samples; None for an array that all samples share."""
        return len(self.rows) // self.length if self.length else None

    def check(self) -> None:
        """Compare the shape with the input's before anything is read.

        Raises:
            InvalidData: with the array's shape and the one wanted.
        """
        wanted = self.value.type
        if wanted is None:
            return
        found = self.rows.shape
        sample = (
            found if not self.length else found[1:] if self.whole else (self.length, *found[1:])
        )
        if (not found and self.length) or not shape_fits(sample, wanted.shape):
            shown = "×".join(map(str, found)) or "a single number"
            raise InvalidData(
                f"Input {self.value.name!r} has data of shape {shown} ({self.rows.title}), "
                f"but the model wants {wanted}."
            )

    def samples(self, indices: Sequence[int]) -> Iterator[Array]:
        """Yield the array of each sample, batch axis included."""
        if not self.length:
            shared = self.rows.whole()
            yield from (shared for _ in indices)
            return
        starts = (index * self.length for index in indices)
        for block in self.rows.blocks(starts, self.length):
            yield block[0] if self.whole else block


class ArrayDataset:
    """The samples of one file of arrays, streamed from it."""

    def __init__(
        self,
        columns: Sequence[_Column],
        labels: Sequence[Label] | None,
        limit: int | None,
        name: str,
    ) -> None:
        """Check the shapes, and that all arrays have equally many samples.

        Raises:
            InvalidData: when they do not.
        """
        for column in columns:
            column.check()
        total = self._total(columns, labels, name)
        self._columns = tuple(columns)
        self._labels = labels
        self._indices = spread(total, limit)

    @classmethod
    def of_npz(
        cls,
        path: Path,
        inputs: Sequence[Value],
        limit: int | None,
        label_map: LabelMap | None = None,
    ) -> ArrayDataset:
        """Open an ``.npz`` whose keys are the inputs' names (or one array for a single input)."""
        names = keys(path)
        wanted = [value.name for value in inputs]
        # An input may have the name of a label key: the array is the input's then.
        label_key = next((key for key in LABEL_KEYS if key in names and key not in wanted), "")
        arrays = [name for name in names if name not in LABEL_KEYS or name in wanted]
        pairs = _pair(path, inputs, arrays)
        columns = [_Column.of(value, Rows(path, key)) for value, key in pairs]
        labels = labels_of_array(Rows(path, label_key)) if label_key else None
        if labels is not None and label_map is not None:
            labels = [*label_map.apply(labels)]
        return cls(columns, labels, limit, path.name)

    @classmethod
    def of_npy(cls, path: Path, inputs: Sequence[Value], limit: int | None) -> ArrayDataset:
        """Open an ``.npy`` for a model with a single input."""
        if len(inputs) != 1:
            raise InvalidData(
                f"{path.name} holds one array, but the model has {len(inputs)} inputs.",
                hint="Use an .npz file with one array for each input.",
            )
        return cls([_Column.of(inputs[0], Rows(path))], None, limit, path.name)

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[Sample]:
        streams = [column.samples(self._indices) for column in self._columns]
        for index, *arrays in zip(self._indices, *streams, strict=True):
            feeds = {
                column.value.name: conform(array, column.value, f"#{index}")
                for column, array in zip(self._columns, arrays, strict=True)
            }
            yield Sample(feeds, self._labels[index] if self._labels else None, f"#{index}")

    @staticmethod
    def _total(columns: Sequence[_Column], labels: Sequence[Label] | None, name: str) -> int:
        counts = {f"input {c.value.name!r}": c.count for c in columns if c.count is not None}
        if labels is not None:
            counts["the labels"] = len(labels)
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{count} for {what}" for what, count in counts.items())
            raise InvalidData(f"{name} has differing numbers of samples: {found}.")
        total = next(iter(counts.values()), 1)
        if not total:
            raise InvalidData(f"{name} has no samples.")
        return total


def _pair(path: Path, inputs: Sequence[Value], names: Sequence[str]) -> list[tuple[Value, str]]:
    """Match the arrays to the inputs."""
    wanted = [value.name for value in inputs]
    if len(inputs) == 1 and len(names) == 1:
        return [(inputs[0], names[0])]
    missing = [name for name in wanted if name not in names]
    if missing:
        found = ", ".join(repr(name) for name in names) or "nothing"
        raise InvalidData(
            f"{path.name} has no array for input {missing[0]!r}; it has {found}.",
            hint=f"Its keys must be the inputs' names: {', '.join(wanted)}.",
        )
    return [(value, value.name) for value in inputs]


class ArrayFolder:
    """A folder in which each ``.npy`` or ``.npz`` file is one sample."""

    def __init__(
        self,
        folder: Path,
        files: Sequence[Path],
        inputs: Sequence[Value],
        labels: Mapping[str, Label] | None,
        limit: int | None,
    ) -> None:
        self._folder = folder
        self._inputs = tuple(inputs)
        self._labels = labels
        self._files = [files[index] for index in spread(len(files), limit)]

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Sample]:
        for file in self._files:
            name = file.relative_to(self._folder).as_posix()
            label = self._labels[name] if self._labels else None
            feeds = {
                value.name: conform(_with_batch(array, value), value, name)
                for value, array in self._arrays(file).items()
            }
            yield Sample(feeds, label, name)

    def _arrays(self, file: Path) -> Mapping[Value, Array]:
        if file.suffix.lower() == ".npz":
            pairs = _pair(file, self._inputs, keys(file))
            return {value: Rows(file, key).whole() for value, key in pairs}
        if len(self._inputs) != 1:
            raise InvalidData(
                f"{file.name} holds one array, but the model has {len(self._inputs)} inputs.",
                hint="Use .npz files with one array for each input.",
            )
        return {self._inputs[0]: Rows(file).whole()}


def _with_batch(array: Array, value: Value) -> Array:
    shape = value.type.shape if value.type else None
    return array[None] if shape is not None and array.ndim == len(shape) - 1 else array
