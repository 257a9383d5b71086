"""Results with tables and figures for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Generic, TypeVar, cast

from studio.documents.dataclass_json import to_json
from studio.documents.html import table as html_table
from studio.documents.plain import one_line
from studio.documents.text_table import table as text_table
from studio.jobs.object_names import load
from studio.lazy_dataclass import dataclass
from studio.steps.catalogue import step

ResultT_co = TypeVar("ResultT_co", covariant=True)

Cell = str | int | float | None
_LONGEST = 200


class ResultTable(list[dict[str, Cell]]):
    """A table as a list of rows by column; ``pandas.DataFrame(table)`` takes it as it is.

    Attributes:
        columns: The names of the columns, in order; a unit stands at the end (``p50_ms``).
    """

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]] = ()) -> None:
        super().__init__(dict(zip(columns, row, strict=True)) for row in rows)
        self.columns = tuple(columns)

    def __str__(self) -> str:
        """Return aligned columns of text."""
        return "\n".join(text_table(self._head(), self._texts(), self._kinds("r")))

    def _repr_html_(self) -> str:
        """Return the table for a notebook; texts of a model's file are escaped."""
        return html_table(self._head(), self._texts(), self._kinds("n"))

    def _head(self) -> list[str]:
        return [shown(name) for name in self.columns]

    def _texts(self) -> list[list[str]]:
        return [[shown(row[name]) for name in self.columns] for row in self]

    def _kinds(self, mark: str) -> str:
        """Return a mark for each column of numbers."""
        columns = ([row[name] for row in self if row[name] is not None] for name in self.columns)
        numbers = (all(isinstance(one, int | float) for one in column) for column in columns)
        return "".join(mark if one else " " for one in numbers)


def shown(value: Cell) -> str:
    """Return a value for people: four digits, no line ends, nothing that a display obeys."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = one_line(str(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


@dataclass(frozen=True, repr=False)
class Report(Generic[ResultT_co]):
    """The result of a step.

    Attributes:
        step: Name of the step, as on the command line.
        result: Its typed result, a frozen dataclass of ``studio.<stage>.results``.
        notes: What the project of the model added to the options, a sentence each.
    """

    step: str
    result: ResultT_co
    notes: tuple[str, ...] = ()

    @property
    def document(self) -> dict[str, object]:
        """The result as the command prints it with ``--json``."""
        return dict(to_json(self.result))

    def table(self) -> ResultTable:
        """Return the result as a table: its first list of records, else its single values."""
        return _records(self.result) or ResultTable(("name", "value"), _single(self.result))

    def __str__(self) -> str:
        """Return the lines that the command prints."""
        texts = step(self.step).texts
        lines: list[str] = load(texts)(self.result) if texts else [str(self.table())]
        return "\n".join(line if line.count("\n") else one_line(line) for line in lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        return self.table()._repr_html_()


def _records(result: object) -> ResultTable | None:
    """Return the first list of records in a result, with the fields that hold single values."""
    for _, value in _fields(result):
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            rows = [dict(_single(one)) for one in value]
            columns = list(dict.fromkeys(name for row in rows for name in row))
            return ResultTable(columns, ([row.get(name) for name in columns] for row in rows))
    return None


def _single(record: object) -> list[tuple[str, Cell]]:
    return [(name, value) for name, value in _fields(record) if isinstance(value, Cell)]


def _fields(record: object) -> list[tuple[str, object]]:
    if is_dataclass(record):
        return [(one.name, getattr(record, one.name)) for one in fields(record)]
    return list(cast("Mapping[str, object]", record).items())
