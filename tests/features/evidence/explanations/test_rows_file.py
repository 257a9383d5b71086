"""Rows of a CSV file as samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import InvalidData, TensorType, Value
from studio.features.evidence.explanations import rows_file
from studio.features.evidence.explanations.rows_file import RowsFile

INPUT = Value("x", TensorType("float32", ("n", 2)))


def table(folder: Path, content: bytes) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content)
    return path


def test_rows_become_samples_with_named_features(tmp_path: Path) -> None:
    rows = RowsFile(table(tmp_path, "\ufeffa , b\n1,2\n\n3,4.5\n".encode()), [INPUT])
    assert rows.names == ("a", "b")
    assert [sample.feeds["x"].tolist() for sample in rows] == [[[1, 2]], [[3, 4.5]]]
    assert rows.sample(1).name == "#1"


def test_chosen_columns_keep_their_order(tmp_path: Path) -> None:
    rows = RowsFile(table(tmp_path, b"id,b,a\n7,2,1\n"), [INPUT], ["a", "b"])
    assert rows.sample(0).feeds["x"].tolist() == [[1, 2]]


def test_rows_with_missing_values_are_no_background(tmp_path: Path) -> None:
    rows = RowsFile(table(tmp_path, b"a,b\n1,2\nnan,2\n3,inf\n"), [INPUT])
    assert [sample.name for sample in rows.spread(9)] == ["#0"]
    with pytest.raises(InvalidData, match="not-a-number"):
        rows.sample(1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "rows.csv has no rows below its line of names, or too many."),
        (b"a,b\n", "rows.csv has no rows below its line of names, or too many."),
        (b"a,a\n1,2\n", "rows.csv has two columns of one name."),
        (b"a,b\n1,two\n", "Row 0 of rows.csv has no number in the column 'b'."),
        (b"a,b\n1\n", "Row 0 of rows.csv has no number in the column 'b'."),
        (b"a,b\n\xff,1\n", "rows.csv cannot be read as CSV: 'utf-8' codec can't decode byte"),
        (b'a,b\n"' + b"x" * 200_000, "rows.csv cannot be read as CSV: field larger than"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(InvalidData) as caught:
        RowsFile(table(tmp_path, content), [INPUT])
    assert caught.value.message.startswith(sentence)


def test_a_large_file_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_file, "_MOST_BYTES", 3)
    with pytest.raises(InvalidData, match="larger than"):
        RowsFile(table(tmp_path, b"a,b\n1,2\n"), [INPUT])


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="has no column 'c'"):
        RowsFile(table(tmp_path, b"a,b\n1,2\n"), [INPUT], ["c"])
