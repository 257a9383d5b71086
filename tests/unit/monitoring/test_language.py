"""Language models in the answers of ``studio monitor``: in tokens, with guard rules and drift."""

from __future__ import annotations

from studio.documents.dataclass_json import from_json, read_parts, to_json
from studio.monitoring import texts
from studio.monitoring.drift import drift_state
from studio.monitoring.endpoint.generation import GenerationState, GuardCount
from studio.monitoring.endpoint.results import Percentiles
from studio.monitoring.endpoint.status import DriftReport, ServerStatus
from studio.monitoring.fleet_work import brief
from studio.monitoring.results import FleetResult, FleetSample, TargetSample
from studio.runtime.drift.text_watch import TextFacts, TextWatch
from studio.runtime.generate.statistics import RecentAnswers
from tests.unit.runtime.serve.rig import wait_until

STATE = GenerationState(
    slots=4,
    active=1,
    waiting=2,
    held_tokens=500,
    room_tokens=8192,
    prompt_tokens=1000,
    cached_tokens=250,
    tokens_per_s=27.31,
    first_token_ms=Percentiles(115.2, 200.0, 266.0),
    token_ms=Percentiles(36.4),
    guard=(
        GuardCount("plans", "both", "refuse", 2, 1),
        GuardCount("sorry", "answers", "count", 0, 3),
        GuardCount("cards", "prompts", "refuse"),
    ),
)


def test_a_language_model_is_described_in_tokens() -> None:
    lines = texts.target(TargetSample("edge", health="healthy", language=STATE))
    assert "tokens      27.3 a second, 36.4 ms each" in lines
    assert "first token p50 115 ms, p99 266 ms" in lines
    assert "running     1 of 4 slots, 2 waiting" in lines
    assert "cache       500 of 8,192 tokens, 25% of prompts from the cache" in lines
    assert "guard       plans: 2 prompts and 1 answer refused" in lines
    assert "guard       sorry: 0 prompts and 3 answers counted" in lines
    assert "guard       1 rule without a match" in lines


def test_other_models_are_described_as_before() -> None:
    lines = texts.target(TargetSample("edge", health="healthy"))
    assert not any(line.startswith(("tokens", "guard", "cache")) for line in lines)


def test_a_fleet_has_columns_of_tokens_where_one_writes_text() -> None:
    samples = (
        TargetSample("a", health="healthy", language=STATE),
        TargetSample("b", health="healthy"),
    )
    head, first, second, *_ = texts.fleet(FleetResult(2, samples))
    assert head.split()[3:] == ["req/s", "p99", "ms", "tokens/s", "first", "ms", "alerts"]
    assert first.split()[-3:] == ["27.3", "115", "-"]
    assert second.split()[-3:] == ["-", "-", "-"]
    alone, *_ = texts.fleet(FleetResult(1, samples[1:]))
    assert "tokens/s" not in alone


def test_a_status_is_read_and_kept_in_a_row_of_the_fleet() -> None:
    status = read_parts(ServerStatus, {"language": to_json(STATE), "name": "smollm2"})
    assert status.language == STATE
    row = brief(TargetSample("a", language=STATE))
    assert from_json(FleetSample, to_json(row)).language == STATE
    assert "language" not in to_json(brief(TargetSample("a")))


def test_a_status_of_an_older_runtime_has_no_speed() -> None:
    older = {"language": {"context": 2048, "slots": 4, "active": 0, "ends": {"stop": 1}}}
    found = read_parts(ServerStatus, older).language
    assert found is not None
    assert found.tokens_per_s is None
    lines = texts.target(TargetSample("edge", health="healthy", language=found))
    assert "tokens      - a second, - ms each" in lines


def test_a_watch_that_learns_says_so_and_later_names_the_cause() -> None:
    watch = TextWatch(64, frames_s=float("inf"))

    def report() -> DriftReport:
        return read_parts(DriftReport, watch.status())

    for length in range(10):
        watch.add(TextFacts(length, length, False, "english", "english"))
    assert drift_state(report()).why == (
        "The first 64 requests become the reference; 10 are there."
    )
    for number in range(54):
        watch.add(TextFacts(number % 17, number % 13, False, "english", "english"))
    wait_until(lambda: report().learns is None, "the reference")
    for number in range(100):
        watch.add(TextFacts(number * 7 % 17, number * 5 % 13, False, "german", "english"))
    assert drift_state(report()).why.startswith("prompt.language differs from the reference data")


def test_the_speed_of_the_last_minute() -> None:
    recent = RecentAnswers(began=0.0)
    for tenth in range(300):
        recent.token(tenth / 10)
    for number in range(1, 11):
        recent.ended(20.0, number / 10, None if number == 1 else 0.02)
    found = recent.status(30.0)
    assert found["tokens_per_s"] == 10.0
    assert found["first_token_ms"] == {"p50": 500.0, "p90": 900.0, "p99": 1000.0}
    assert found["token_ms"] == {"p50": 20.0, "p90": 20.0, "p99": 20.0}
    later = recent.status(81.0)
    assert later["tokens_per_s"] == round(80 / 60, 2)
    assert later["first_token_ms"] == {"p50": None, "p90": None, "p99": None}
    assert recent.status(1000.0)["tokens_per_s"] == 0.0
