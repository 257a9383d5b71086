"""The samples that are explained."""

from __future__ import annotations

from studio.features.evidence.groups.chosen import chosen_samples
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable


def table(*rows: tuple[float, str, float | None]) -> SampleTable:
    made = (SampleRow(f"#{k}", one[0], "", answer=one[1]) for k, one in enumerate(rows))
    filled = [
        SampleRow(one.sample, one.value, one.label, answer=one.answer, confidence=row[2])
        for one, row in zip(made, rows, strict=True)
    ]
    return SampleTable(tuple(filled), ())


def test_typical_ones_come_before_the_surest_mistakes() -> None:
    rows = table((1, "a", 0.9), (1, "a", 0.5), (0, "b", 0.6), (0, "b", 0.99), (1, "a", 0.7))
    assert chosen_samples(rows, 4) == ("4", "0", "3", "2")


def test_the_lowest_figures_are_the_worst_where_no_confidence_is_known() -> None:
    rows = table((0.5, "box", None), (1, "box", None), (0.1, "box", None))
    assert chosen_samples(rows, 2) == ("1", "2")


def test_a_picture_without_a_found_box_is_left_out() -> None:
    rows = table((0, "", None), (1, "box", None), (0.4, "box", None))
    assert chosen_samples(rows, 3) == ("1", "2")


def test_without_any_answer_all_can_be_chosen() -> None:
    assert chosen_samples(table((0, "", None), (1, "", None)), 2) == ("1", "0")
