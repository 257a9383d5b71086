"""Labels of the samples: class numbers or texts."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from studio.api import InvalidData
from studio.datasets.label_map import LabelMap
from studio.datasets.rows import Rows

Label = int | str

LABEL_KEYS = ("labels", "y", "texts")
"""Names under which an ``.npz`` keeps its labels."""

FILES = ("labels.csv", "labels.txt")
"""Names of the file that gives each sample of a folder its label, ``file,label`` a line, with or
without a first line that names these columns.

Where the samples lie in sub-folders it may list the classes in their order instead."""


def labels_of_array(rows: Rows) -> list[Label]:
    """Return labels from a stored array of whole numbers or texts, one for each sample.

    Raises:
        InvalidData: when it is of another type or has more than one axis.
    """
    array = rows.whole()
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        shape = "×".join(map(str, array.shape)) or "a single value"
        raise InvalidData(
            f"{rows.title} must hold one label for each sample, but its shape is {shape}.",
            hint="Turn one-hot rows into class numbers: labels.argmax(axis=1).",
        )
    if array.dtype.kind in "iu":
        return [int(label) for label in array]
    if array.dtype.kind == "U":
        return [str(label) for label in array]
    raise InvalidData(
        f"{rows.title} must hold whole numbers or texts, not {array.dtype.name} values."
    )


def labels_of_folder(
    folder: Path, names: Sequence[str], label_map: LabelMap | None = None
) -> dict[str, Label] | None:
    """Return the label of each file: from the labels file, or from its sub-folder.

    Args:
        names: The samples' names relative to the folder, with forward slashes.
        label_map: The model's classes for labels and names of sub-folders.

    Raises:
        InvalidData: when the labels and the files do not agree.
    """
    classes = sorted({name.split("/")[0] for name in names if "/" in name})
    nested = all("/" in name for name in names)
    for file in FILES:
        if (folder / file).is_file():
            listed = _class_names(folder / file) if nested else None
            if listed is None:
                return _mapped(_agreeing(folder / file, names), label_map)
            if label_map is not None:
                break  # the map names the classes by their folders, in an order of its own
            return _by_folder(names, _numbered(classes, listed, file))
    if nested and label_map is not None:
        return _by_folder(names, dict(zip(classes, label_map.apply(classes), strict=True)))
    return _by_folder(names, _class_numbers(classes)) if nested else None


def _mapped(labels: dict[str, Label], label_map: LabelMap | None) -> dict[str, Label]:
    if label_map is None:
        return labels
    return dict(zip(labels, label_map.apply(list(labels.values())), strict=True))


def _by_folder(names: Sequence[str], numbers: Mapping[str, Label]) -> dict[str, Label]:
    return {name: numbers[name.split("/")[0]] for name in names}


def _class_names(path: Path) -> list[str] | None:
    """Return the lines of a file that lists the classes in order, None for other files."""
    records = _fields(path)
    return [fields[0] for fields in records] if all(len(f) == 1 for f in records) else None


def _numbered(classes: Sequence[str], listed: Sequence[str], file: str) -> dict[str, Label]:
    unknown = [name for name in classes if name not in listed]
    if unknown:
        raise InvalidData(f"{file} lists the classes, but {unknown[0]!r} is not among them.")
    return {name: listed.index(name) for name in classes}


def _class_numbers(classes: Sequence[str]) -> dict[str, Label]:
    """Return classes by folder name: the number itself, or the place in alphabetical order."""
    given = _typed(classes)
    if all(isinstance(label, int) for label in given):
        return dict(zip(classes, given, strict=True))
    return {name: number for number, name in enumerate(classes)}


def _agreeing(path: Path, names: Sequence[str]) -> dict[str, Label]:
    labels = _read(path, names)
    unlabelled = [name for name in names if name not in labels]
    if unlabelled:
        raise InvalidData(
            f"{path.name} has no label for {len(unlabelled)} of {len(names)} samples, "
            f"the first of them {unlabelled[0]}."
        )
    known = set(names)
    absent = [name for name in labels if name not in known]
    if absent:
        raise InvalidData(
            f"{path.name} has labels for {len(absent)} files that are not there, "
            f"the first of them {absent[0]}."
        )
    return dict(zip(labels, _typed(list(labels.values())), strict=True))


def _read(path: Path, names: Sequence[str]) -> dict[str, str]:
    rows = [_split(fields, path) for fields in _fields(path)]
    if rows and _is_head(rows[0][0], names):
        del rows[0]
    labels = dict(rows)
    if len(labels) < len(rows):
        raise InvalidData(f"{path.name} gives a file more than one label.")
    return labels


def _is_head(first: str, names: Sequence[str]) -> bool:
    """Return whether a first line names the columns, because no sample or file matches it."""
    return first not in names and not Path(first).suffix


def _fields(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_records(file, path.suffix))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidData(f"{path.name} cannot be read as text.", detail=str(error)) from None


def _records(file: TextIO, suffix: str) -> Iterator[list[str]]:
    """Yield the fields of each line: CSV, or cut at the first tab or comma in a ``.txt``."""
    if suffix == ".csv":
        yield from (row for row in csv.reader(file) if row)
        return
    for line in file:
        text = line.rstrip("\r\n")
        if text.strip():
            yield text.split("\t" if "\t" in text else ",", 1)


def _split(fields: list[str], path: Path) -> tuple[str, str]:
    if len(fields) < 2:
        raise InvalidData(
            f"{path.name} has a line without a label: {fields[0][:60]!r}.",
            hint="Each line is file,label.",
        )
    # A text that holds commas and was not quoted is put together again.
    return fields[0].strip().replace("\\", "/"), ",".join(fields[1:])


def _typed(labels: Sequence[str]) -> list[Label]:
    """Return class numbers if every label is one ("7", never "007"), texts otherwise."""
    try:
        numbers = [int(label) for label in labels]
    except ValueError:
        return list(labels)
    plain = all(str(number) == label.strip() for number, label in zip(numbers, labels, strict=True))
    return list(numbers) if plain else list(labels)
