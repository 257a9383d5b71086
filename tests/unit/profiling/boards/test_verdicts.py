"""The table of verdicts: error rates on simulated studies, and what single boards decide."""

from __future__ import annotations

import dataclasses
import math

import pytest

from studio.profiling.boards.results import StudyResult, StudyRow
from studio.profiling.boards.texts import study as lines
from studio.profiling.boards.verdicts import METHOD, overall, with_verdicts
from studio.profiling.results import Comparison, ProfileResult, TwinControl
from tests.rigs.simulated_studies import study

WRONG = ("faster", "slower", "mixed")


def row(name: str, *ratios: float, width: float = 0.01, twin: float = 1.0) -> StudyRow:
    """A board with one comparison for each ratio."""
    verdicts = tuple(
        Comparison("a", f"b{number}", one, one * (1 - width), one * (1 + width), "undecided", 0.03,
                   0.95, 40)
        for number, one in enumerate(ratios)
    )  # fmt: skip
    control = TwinControl(twin, twin * (1 - width), twin * (1 + width), 0.95, 0.03)
    profile = ProfileResult(reference="a", rounds_kept=40, verdicts=verdicts, twin=control)
    return StudyRow(name, "measured", arch="aarch64", chip="Cortex-A76", profile=profile)


def verdict_of(*rows: StudyRow) -> str:
    [found] = overall(with_verdicts(rows))
    return found.verdict


def test_a_model_against_itself_has_no_difference_in_the_table() -> None:
    studies = [study(seed, 1.0) for seed in range(25)]
    words = [one.verdict for rows, _ in studies for each in rows for one in each.verdicts]
    assert sum(word in WRONG for word in words) == 0
    assert sum(found.verdict in WRONG for _, found in studies) == 0


def test_a_slower_model_is_found() -> None:
    studies = [study(seed, 1.25, spread=0.01) for seed in range(5)]
    assert [found.verdict for _, found in studies] == ["slower"] * 5


def test_one_board_that_is_slower_is_not_hidden_by_the_mean() -> None:
    rows = [row(f"cam-{number}", 1.0) for number in range(7)] + [row("cam-8", 1.3)]
    [found] = overall(with_verdicts(rows))
    assert found.verdict == "mixed"
    assert found.slower_on == ("cam-8",)
    assert "slower on cam-8" in found.text


def test_equal_boards_are_equal() -> None:
    assert verdict_of(*(row(f"cam-{number}", 1.0) for number in range(4))) == "equal"


def test_a_noisy_mean_control_widens_the_margin_of_the_mean() -> None:
    rows = [row(f"cam-{number}", 1.06, twin=1.08) for number in range(4)]
    [found] = overall(with_verdicts(rows))
    assert found.margin > 0.08


def test_the_risk_is_shared_by_all_boards() -> None:
    alone = with_verdicts([row("cam-1", 1.05)])[0].verdicts[0]
    among = with_verdicts([row(f"cam-{number}", 1.05) for number in range(1, 20)])[0].verdicts[0]
    assert among.confidence > alone.confidence
    assert among.high > alone.high  # type: ignore[operator]


def test_a_board_without_a_profile_has_an_empty_row() -> None:
    lost = StudyRow("cam-9", "failed", "The connection to cam-9 was lost.")
    judged = with_verdicts([row("cam-1", 1.0), row("cam-2", 1.0), lost])
    assert judged[2].verdicts == ()
    [found] = overall(judged)
    assert found.boards == 2


def test_one_board_gives_no_mean() -> None:
    [found] = overall(with_verdicts([row("cam-1", 1.3)]))
    assert found.ratio is None
    assert found.text == "b0 against a: slower on cam-1; a mean needs two boards."


@pytest.mark.parametrize("state", ["failed", "reserved"])
def test_the_table_shows_why_a_board_has_no_figures(state: str) -> None:
    rows = tuple(with_verdicts([row("cam-1", 1.0), StudyRow("cam-2", state, "It is away.")]))
    shown = lines(StudyResult("s", False, "a", rows, overall(rows), METHOD))
    assert f"cam-2: {state}: It is away." in shown


def test_a_profile_of_another_baseline_is_not_pooled() -> None:
    other = row("cam-3", 1.5)
    assert other.profile is not None
    [one] = other.profile.verdicts
    changed = dataclasses.replace(other.profile, verdicts=(dataclasses.replace(one, a="c"),))
    rows = [row("cam-1", 1.0), row("cam-2", 1.0), dataclasses.replace(other, profile=changed)]
    assert [(one.a, one.boards) for one in overall(with_verdicts(rows))] == [("a", 2), ("c", 1)]


def test_a_board_with_impossible_figures_changes_nothing_for_the_others() -> None:
    rows = [row("cam-1", 1.3), row("cam-2", math.nan), row("cam-3", math.inf)]
    judged = with_verdicts(rows)
    assert [one.verdicts[0].verdict for one in judged] == ["slower", "undecided", "undecided"]
