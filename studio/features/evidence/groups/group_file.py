"""Groups of samples as ``groups.csv`` has them, and their agreement with the data."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from studio.api import InvalidData
from studio.lazy_dataclass import dataclass

_SAMPLE = ("sample", "file", "name")
"""Names of the first column."""

_MOST_BYTES = 64 << 20
_MOST_COLUMNS = 32
_LONGEST_NAME = 60
_RESERVED = "*:,="


@dataclass(frozen=True, slots=True)
class GroupFile:
    """Groups of samples by column.

    Attributes:
        name: Name of the file in messages.
        columns: Names of the columns.
        groups: Group of each sample by column; an empty cell is left out.
    """

    name: str
    columns: tuple[str, ...]
    groups: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, path: Path) -> GroupFile:
        """Read a file of groups.

        Raises:
            InvalidData: in one sentence, for a file that is no such table, or a sample that occurs
                twice with different groups.
        """
        lines = list(_lines(path))
        head = [one.strip() for one in lines[0]] if lines else []
        _check_head(head, path.name)
        columns = tuple(head[1:])
        found: dict[str, Mapping[str, str]] = {}
        for number, cells in enumerate(lines[1:], 2):
            if len(cells) != len(head):
                raise InvalidData(
                    f"{path.name} has {len(cells)} cells in row {number}, but {len(head)} columns."
                )
            sample = cells[0].strip().replace("\\", "/")
            given = {c: g.strip() for c, g in zip(columns, cells[1:], strict=True) if g.strip()}
            if found.setdefault(sample, given) != given:
                raise InvalidData(
                    f"{path.name} has the sample {sample[:60]!r} twice, with different groups."
                )
        return cls(path.name, columns, found)

    def check(self, samples: Sequence[str], whole: bool) -> None:
        """Compare the samples of the file with those of the data.

        Args:
            whole: Whether these are all samples of the data, not some of them.

        Raises:
            InvalidData: when the file lacks a sample, or has one that the data lack.
        """
        absent = [one for one in samples if one not in self.groups]
        if absent:
            raise InvalidData(
                f"{self.name} has no row for {len(absent)} of {len(samples)} samples, the first of "
                f"them {absent[0][:60]!r}.",
                hint="Samples of a folder are named by their files, those of arrays #0, #1 and on.",
            )
        known = set(samples)
        extra = [one for one in self.groups if one not in known]
        if whole and extra:
            raise InvalidData(
                f"{self.name} has {len(extra)} samples that the data lack, the first of them "
                f"{extra[0][:60]!r}."
            )

    def levels(self, column: str) -> tuple[str, ...]:
        """Return the groups of a column, those without an evaluated sample included."""
        every = (groups.get(column) for groups in self.groups.values())
        return tuple(dict.fromkeys(one for one in every if one))


def _check_head(head: Sequence[str], name: str) -> None:
    if len(head) < 2 or head[0].lower() not in _SAMPLE:
        raise InvalidData(
            f"{name} has no first line such as sample,script,blur.",
            hint="The first column has the samples, each further one groups them.",
        )
    if len(head) > _MOST_COLUMNS + 1:
        raise InvalidData(f"{name} has more than {_MOST_COLUMNS} columns of groups.")
    if len(set(head)) < len(head):
        raise InvalidData(f"{name} has two columns of the same name.")
    for one in head[1:]:
        short = one.isprintable() and 0 < len(one) <= _LONGEST_NAME
        if not short or any(sign in one for sign in _RESERVED):
            raise InvalidData(
                f"{name} has a column {one[:_LONGEST_NAME]!r}.",
                hint=f"A name has 1 to {_LONGEST_NAME} characters without {' '.join(_RESERVED)}",
            )


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidData(f"{path.name} is larger than {_MOST_BYTES >> 20} MB.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from (cells for cells in csv.reader(file, strict=True) if any(cells))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidData(f"{path.name} cannot be read as CSV.", detail=str(error)) from None
