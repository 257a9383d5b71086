"""The table of samples: written and read again without a change."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from studio.api import InvalidData
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable

NAMES = (
    "plain.png",
    "a,b",
    'say "no"',
    "two\nlines",
    "back\r\nslash\\",
    "=1+1",
    "'=1+1",
    "-x",
    "@cmd",
    " spaced ",
    "日本",
    "#0",
)
HEAD = "sample,value,against,label,answer,confidence,probabilities"


def table() -> SampleTable:
    rows = tuple(
        SampleRow(
            name,
            1 / (index + 3),
            f"label {index}",
            "",
            0.1 + 0.2 if index % 2 else None,
            (1e-300, 2 / 3) if index % 3 else (),
            5e-324 if index else 0.0,
            {"script": name, "blur": str(index)} if index % 2 else {"blur": "0"},
        )
        for index, name in enumerate(NAMES)
    )
    return SampleTable(rows, ("script", "blur"), {"script": ("none, yet", "x")})


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    table().write(file)
    assert SampleTable.read(file) == table()


def test_reading_leaves_other_readers_their_limit(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    table().write(file)
    before = csv.field_size_limit()
    SampleTable.read(file)
    assert csv.field_size_limit() == before


def test_no_cell_of_a_text_begins_like_a_formula() -> None:
    for line in csv.reader(io.StringIO(table().to_csv(), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line)


def test_equal_tables_are_equal_bytes() -> None:
    text = table().to_csv()
    assert SampleTable.of_csv(text).to_csv() == text


def test_levels_are_ordered_by_number_and_have_those_without_a_sample() -> None:
    rows = tuple(SampleRow(f"#{k}", 1.0, groups={"n": text}) for k, text in enumerate(("9", "10")))
    assert SampleTable(rows, ("n",), {"n": ("2",)}).levels("n") == ("2", "9", "10")


def test_an_intersection_has_every_pair_and_no_group_for_half_a_pair() -> None:
    rows = (
        SampleRow("a", 1.0, groups={"x": "1", "y": "u"}),
        SampleRow("b", 1.0, groups={"x": "2"}),
        SampleRow("c", 1.0, groups={"x": "1", "y": "v"}),
    )
    found = SampleTable(rows, ("x", "y"))
    assert found.levels("x*y") == ("1 * u", "1 * v", "2 * u", "2 * v")
    assert found.groups_of("x*y") == ("1 * u", None, "1 * v")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "other columns"),
        ("file,figure\n", "other columns"),
        (f"{HEAD}\na,one,,,,,\n", "'one' is no number"),
        (f"{HEAD}\na,nan,,,,,\n", "'nan' is no number"),
        (f"{HEAD}\na,1,,,,inf,\n", "'inf' is no number"),
        (f"{HEAD}\na,1\n", "2 cells in row 2"),
        (f"{HEAD}\na,1,,,,,\na,0,,,,,\n", "'a' more than once"),
        (f'{HEAD}\n"a,1,,,,,\n', "not readable as CSV"),
    ],
)
def test_a_text_that_is_no_table_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InvalidData, match=words):
        SampleTable.of_csv(text)


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidData, match="cannot be read"):
        SampleTable.read(file)


def test_without_a_figure_for_each_sample_there_is_no_other_variant() -> None:
    rows = (SampleRow("a", 1.0, against=0.0), SampleRow("b", 1.0))
    assert SampleTable(rows).against is None
