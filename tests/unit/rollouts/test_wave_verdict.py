"""The verdict on a whole wave: evidence that is too little on each target alone."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import JsonValue
from studio.rollouts.results import RequestStats, TargetRow
from studio.rollouts.rule import RolloutRule, judge
from studio.rollouts.wave_verdict import wave_verdict

RULE = RolloutRule(max_error_rate=0.02)


def trial(events: int, of: int) -> Mapping[str, JsonValue]:
    """Return the evidence of a trial that was kept undecided."""
    rows: list[JsonValue] = [
        {"test": "errors", "says": "open", "events": 0, "of": of, "text": ""},
        {"test": "agreement", "says": "open", "events": events, "of": of, "text": ""},
    ]
    return {"decision": "kept undecided", "seconds": 5.0, "tests": rows}


def wave(count: int, **values: object) -> list[TargetRow]:
    return [TargetRow(f"t{number}", 1, "kept", **values) for number in range(count)]  # type: ignore[arg-type]


def test_disagreement_of_few_answers_on_each_is_found_on_all_together() -> None:
    assert wave_verdict(wave(1, trial=trial(2, 12)), RULE, {}) == ""
    found = wave_verdict(wave(20, trial=trial(2, 12)), RULE, {})
    assert found == "40 of 240 results differ from the previous release, on 20 targets together"


def test_an_equal_release_is_kept_whatever_the_size_of_the_wave() -> None:
    for count in (2, 20, 2000):
        assert wave_verdict(wave(count, trial=trial(0, 12)), RULE, {}) == ""


def test_the_rule_of_the_trial_counts() -> None:
    rows = wave(20, trial=trial(2, 12))
    assert wave_verdict(rows, RULE, {"disagreement_ok": "0.3", "disagreement": "0.5"}) == ""
    assert wave_verdict(rows, RULE, {"judge": "errors"}) == ""


def test_failed_requests_are_added_up() -> None:
    now = RequestStats(50, 2)
    assert judge(None, now, RULE).verdict == "wait"
    found = wave_verdict(wave(10, now=now), RULE, {})
    assert found == "20 of 500 requests to 10 targets failed, limit 2.0%"
    assert wave_verdict(wave(10, now=RequestStats(50, 0)), RULE, {}) == ""


def test_targets_that_did_not_keep_it_and_hostile_evidence_add_nothing() -> None:
    bad = [TargetRow(f"b{number}", 1, "taken back", trial=trial(12, 12)) for number in range(9)]
    assert wave_verdict([*bad, *wave(2, trial=trial(0, 12))], RULE, {}) == ""
    strange: Mapping[str, JsonValue] = {"tests": "none"}
    assert wave_verdict(wave(3, trial=strange), RULE, {}) == ""


def test_a_board_that_claims_any_number_does_not_decide_for_all() -> None:
    bad = wave(20, trial=trial(2, 12))
    liar = TargetRow("liar", 1, "kept", trial=trial(0, 10**12))
    assert "differ from the previous release" in wave_verdict([*bad, liar, *bad, *bad], RULE, {})
    for events, of in ((-(10**9), 12), (10**9, 12), (5, -1)):
        strange = TargetRow("strange", 1, "kept", trial=trial(events, of))
        assert wave_verdict([*wave(20, trial=trial(0, 12)), strange], RULE, {}) == ""
