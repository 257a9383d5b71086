"""The rule of a quality soak, its error rates, and releases on trial beside a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.packages import Bundle
from studio.runtime.release.trial.decision import (
    Counts,
    TrialDecision,
    TrialRule,
    decision,
    rule_of,
)
from studio.runtime.release.trial.sequential import BAD, GOOD, OPEN, Errors, ShareTest
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.errors import ReleaseError
from tests.rigs import trials
from tests.unit.runtime.release.machine import Machine, machine


def until_decided(test: ShareTest, share: float, draws: np.random.Generator) -> str:
    """One look after each observation, which is when most is decided wrongly."""
    events = 0
    for number, event in enumerate(draws.random(20_000) < share, 1):
        events += int(event)
        said = test.verdict(events, number)
        if said != OPEN:
            return said
    return OPEN


@pytest.mark.parametrize(("share", "expected"), [(0.02, GOOD), (0.08, BAD)])
def test_a_test_errs_no_more_often_than_it_says(share: float, expected: str) -> None:
    draws, test = np.random.default_rng(1), ShareTest(0.02, 0.08, Errors(0.05, 0.05))
    found = [until_decided(test, share, draws) for _ in range(400)]
    assert OPEN not in found
    assert sum(one != expected for one in found) <= 30  # .05 of 400, and three deviations


def test_evidence_may_come_in_any_portions() -> None:
    test = ShareTest(0.02, 0.08, Errors(0.01, 0.01))
    assert test.evidence(5, 80) == pytest.approx(test.evidence(2, 30) + test.evidence(3, 50))


def test_nothing_is_decided_by_nothing() -> None:
    findings = TrialDecision(TrialRule()).findings({})
    assert {one.says for one in findings} == {"open"}
    assert decision(findings) == OPEN


def test_one_test_is_enough_against_and_all_are_needed_for() -> None:
    quality = TrialDecision(TrialRule())
    good = {
        "errors": Counts(0, 400),
        "agreement": Counts(0, 200),
        "latency": Counts(1, 40),
        "drift": Counts(0, 20),
    }
    assert decision(quality.findings(good)) == GOOD
    assert decision(quality.findings({**good, "agreement": Counts(30, 200)})) == BAD
    assert decision(quality.findings({**good, "latency": Counts(0, 2)})) == OPEN
    alone = {**good, "drift": Counts(why_not="no reference data")}
    assert decision(quality.findings(alone)) == GOOD


def test_divergence_is_judged_where_it_is_counted() -> None:
    quality = TrialDecision(TrialRule())
    names = [one.test for one in quality.findings({})]
    assert names == ["errors", "agreement", "latency", "drift"]
    good = {
        "errors": Counts(0, 400),
        "agreement": Counts(0, 200),
        "divergence": Counts(0, 8, told=" (mean KL 0.0010 nats a token)"),
        "latency": Counts(why_not="not timed"),
        "drift": Counts(why_not="no reference data"),
    }
    assert decision(quality.findings(good)) == GOOD
    found = quality.findings({**good, "divergence": Counts(8, 8)})
    assert decision(found) == BAD
    assert [one.text for one in found if one.says == BAD] == [
        "8 of 8 answers diverge from the previous release"
    ]


def test_a_divergence_is_half_way_between_its_limits() -> None:
    assert rule_of({"divergence_ok": "0.1", "divergence": 0.4}).diverging == pytest.approx(0.2)


def over(quality: TrialDecision, unlike: int, of: int, is_longest: bool) -> str:
    findings = quality.findings({"agreement": Counts(unlike, of)})
    assert decision(findings) == OPEN
    return quality.when_over(findings, is_longest)


def test_a_trial_is_extended_while_its_evidence_is_against_the_release() -> None:
    quality = TrialDecision(TrialRule())
    assert over(quality, 0, 0, False) == "keep"
    assert over(quality, 1, 40, False) == "keep"
    assert over(quality, 3, 30, False) == OPEN


def test_evidence_decides_at_the_end_of_the_longest_trial() -> None:
    quality = TrialDecision(TrialRule())
    assert over(quality, 3, 30, True) == "keep"
    assert over(quality, 4, 20, True) == "take back"
    strict = TrialDecision(TrialRule(undecided="take back"))
    assert over(strict, 0, 20, True) == "take back"


def ended_late(share: float, draws: np.random.Generator) -> str:
    """Decision of a trial that has time for 30 answers, or for 60 when it is extended."""
    quality, events = TrialDecision(TrialRule(judge="agreement")), 0
    for number, event in enumerate(draws.random(60) < share, 1):
        events += int(event)
        findings = quality.findings({"agreement": Counts(events, number)})
        found = decision(findings)
        if found == OPEN and number >= 30:
            found = quality.when_over(findings, number == 60)
        if found != OPEN:
            return found
    raise AssertionError


def test_the_end_errs_no_more_often_than_documented() -> None:
    draws = np.random.default_rng(4)
    good = [ended_late(0.02, draws) for _ in range(1000)]
    bad = [ended_late(0.2, draws) for _ in range(1000)]
    assert sum(one in (BAD, "take back") for one in good) <= 20 + 13  # three deviations
    assert sum(one in (BAD, "take back") for one in bad) >= 900


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        ({"disagreemnt": 0.1}, "disagreement"),
        ({"slower": "fast"}, "must be a number"),
        ({"slower": 1.0}, "slower_ok"),
        ({"alpha": 0.0}, "alpha"),
        ({"divergence": 0.005}, "divergence_ok"),
        ({"undecided": "maybe"}, "take back"),
        ({"judge": "mood"}, "agreement"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(wanted: dict[str, Any], word: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        rule_of(wanted)
    assert word in caught.value.message + caught.value.hint


# Beside a real server


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The version that runs before."""
    return trials.make_bundle(tmp_path_factory.mktemp("good"), 1)


@pytest.fixture
def board(tmp_path: Path, good: Bundle) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        made.deploy(good)
        yield made


def tried(
    board: Machine, bundle: Bundle, pictures: bool = False, **rule: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Switch with a quality soak under load; the answer, and what the journal keeps of it."""
    port = int(board.ok("status")["server"]["port"])
    board.ready(bundle)
    with trials.Clients(port, pictures=pictures) as clients:
        clients.more(50)
        answer = board.call("switch", release=bundle.digest, soak_s=90, quality=rule)
        clients.more(50)
    assert clients.failures == []
    board.ok("end")
    board.token = ""
    journal = Journal(board.layout.log)
    assert journal.broken_at() == 0
    kept = [entry for entry in journal.entries() if entry["event"] == "soak"]
    assert not (board.layout.run / "mirror.json").exists()
    return answer, kept[-1]


def says(entry: dict[str, Any]) -> dict[str, str]:
    return {one["test"]: one["says"] for one in entry["tests"]}


@pytest.mark.slow
def test_an_equally_good_version_is_kept(board: Machine, tmp_path: Path) -> None:
    bundle = trials.make_bundle(tmp_path / "two", 2, jitter=0.002)
    answer, entry = tried(board, bundle)
    assert answer["event"] == "result", answer
    assert entry["decision"] == "kept"
    assert set(says(entry).values()) == {"good"}
    assert answer["soak"]["tests"] == entry["tests"]
    assert board.ok("status")["current"] == bundle.digest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "test"),
    [
        ({"wrong": 0.1}, "agreement"),
        ({"blocks": trials.A_THIRD_SLOWER}, "latency"),
        ({"scale": 1 / 510}, "drift"),
    ],
)
def test_a_worse_version_is_taken_back(
    board: Machine, good: Bundle, tmp_path: Path, how: dict[str, float], test: str
) -> None:
    bundle = trials.make_bundle(tmp_path / "worse", 2, **how)  # type: ignore[arg-type]
    answer, entry = tried(board, bundle, pictures="scale" in how)
    assert answer["event"] == "error", entry
    assert answer["code"] == "soak-failed"
    assert entry["decision"] == "taken back"
    assert says(entry)[test] == "bad"
    assert board.ok("status")["current"] == good.digest


@pytest.mark.slow
def test_without_requests_the_time_decides(board: Machine, good: Bundle, tmp_path: Path) -> None:
    bundle = trials.make_bundle(tmp_path / "two", 2)
    board.ready(bundle)
    strict = {"undecided": "take back"}
    answer = board.call("switch", release=bundle.digest, soak_s=1, quality=strict)
    assert "inconclusive after" in answer["message"]
    assert board.ok("status")["current"] == good.digest
    answer = board.ok("switch", release=bundle.digest, soak_s=1, quality={})
    assert answer["soak"]["decision"] == "kept undecided"
