"""The report of a table: each figure again by a mask of its own."""

from __future__ import annotations

import numpy
import pytest

from studio.api import InvalidData, UsageError
from studio.features.evidence.groups.calibration import expected_error
from studio.features.evidence.groups.differences import difference, paired_difference
from studio.features.evidence.groups.intervals import mean_interval
from studio.features.evidence.groups.measure import MOST_GROUPS, measure
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable


def table(count: int = 240, binary: bool = True) -> SampleTable:
    random = numpy.random.default_rng(4)
    rows = []
    for index in range(count):
        script, blur = "abc"[int(random.integers(3))], "xy"[int(random.integers(2))]
        right = random.random() < (0.6 if (script, blur) == ("c", "y") else 0.9)
        value = float(right) if binary else float(random.beta(9, 2 if right else 9))
        rows.append(
            SampleRow(
                f"#{index}",
                value,
                "1",
                "1" if right else "0",
                float(random.uniform(0.4, 1)),
                (),
                float(random.random() < 0.85) if binary else value - 0.02 * random.random(),
                {"script": script, "blur": blur} if index % 20 else {"blur": blur},
            )
        )
    return SampleTable(tuple(rows), ("script", "blur"), {"script": ("none",)})


@pytest.mark.parametrize("binary", [True, False])
def test_every_cell_again_by_a_mask(binary: bool) -> None:
    given = table(binary=binary)
    found = measure(given, 3, ("script", "blur", "script*blur"))
    assert len(found.groups) == 4 + 2 + 8
    assert given.against is not None
    for cell in found.groups:
        names = given.groups_of(cell.column)
        mask = numpy.array([one == cell.group for one in names])
        others = numpy.array([one is not None and one != cell.group for one in names])
        values = given.values[mask]
        assert cell.samples == mask.sum()
        if not mask.any():
            assert cell.value is None
            continue
        interval = mean_interval(values, 3)
        rest = difference(values, given.values[others], 3)
        paired = paired_difference(values, given.against[mask], 3)
        assert cell.value == values.mean()
        assert (cell.low, cell.high) == (interval.low, interval.high)
        assert cell.rest is not None
        assert (cell.rest.value, cell.rest.p) == (rest.value, rest.p)
        assert cell.against is not None
        assert (cell.against.low, cell.against.p) == (paired.low, paired.p)
        sure = numpy.array([row.confidence for row in given.rows])[mask]
        right = numpy.array([float(row.answer == row.label) for row in given.rows])[mask]
        assert cell.ece == pytest.approx(expected_error(sure, right))


def test_the_same_report_from_the_file_alone() -> None:
    given = table()
    again = SampleTable.of_csv(given.to_csv())
    assert measure(again, 3, ("script*blur",)) == measure(given, 3, ("script*blur",))


def test_a_group_without_a_sample_stays_in_the_report() -> None:
    (cell,) = (one for one in measure(table()).groups if one.group == "none")
    assert (cell.samples, cell.value, cell.low, cell.rest) == (0, None, None, None)


def test_samples_without_a_group_are_counted() -> None:
    script, blur = measure(table()).columns
    assert (script.without, blur.without) == (12, 0)


def test_the_worst_group_is_the_lowest_of_those_with_enough_samples() -> None:
    found = measure(table(), 0, ("script*blur",)).worst_group
    assert found is not None
    assert found.group == "c * y"
    assert found.significant
    assert found.accuracy == found.value
    assert found.gap == pytest.approx(table().values.mean() - found.value)


def test_a_small_group_is_not_the_worst() -> None:
    rows = [
        SampleRow(f"#{k}", float(k > 0), groups={"g": "big" if k > 1 else "small"})
        for k in range(20)
    ]
    report = measure(SampleTable(tuple(rows), ("g",)))
    assert report.worst_group is not None
    assert report.worst_group.group == "big"
    least = measure(SampleTable(tuple(rows), ("g",)), least=1).worst_group
    assert least is not None
    assert least.group == "small"
    assert measure(SampleTable(tuple(rows), ("g",)), least=30).worst_group is None


def test_the_only_group_has_no_rest() -> None:
    rows = tuple(SampleRow(f"#{k}", 1.0, groups={"g": "all"}) for k in range(6))
    (cell,) = measure(SampleTable(rows, ("g",))).groups
    assert cell.rest is None


def test_p_values_are_adjusted_over_all_groups() -> None:
    found = measure(table(), 0, ("script", "blur"))
    known = [cell.rest for cell in found.groups if cell.rest]
    smallest = min(known, key=lambda one: one.p or 0)
    assert smallest.p is not None
    assert smallest.p_adjusted == pytest.approx(min(1, smallest.p * len(known)))


def test_figures_that_are_no_shares_have_no_accuracy() -> None:
    found = measure(table(binary=False)).worst_group
    assert found is not None
    assert found.accuracy is None


def test_an_empty_table_an_unknown_column_and_names_as_groups_are_one_sentence() -> None:
    with pytest.raises(InvalidData, match="no samples"):
        measure(SampleTable(()))
    with pytest.raises(UsageError, match="no groups 'light'"):
        measure(table(), 0, ("light",))
    rows = tuple(SampleRow(f"#{k}", 1.0, groups={"g": str(k)}) for k in range(MOST_GROUPS + 1))
    with pytest.raises(InvalidData, match="201 groups; at most 200"):
        measure(SampleTable(rows, ("g",)))
