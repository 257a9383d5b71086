"""The rules that raise alerts, and those that must stay silent."""

from __future__ import annotations

from typing import Any

from studio.documents.dataclass_json import from_json, read_parts
from studio.monitoring.alerts.dispatch import value_of
from studio.monitoring.alerts.evaluate import Rules
from studio.monitoring.endpoint.collect import parse_metrics
from studio.monitoring.endpoint.status import ServerReport, ServerStatus
from studio.monitoring.results import TargetSample

NO_REPORT = ServerReport()


def status(requests: int = 0, errors: int = 0, **more: Any) -> ServerStatus:
    fixed = {"ready": True, "digest": "a", "pid": 1, "generation": 1}
    document = {**fixed, "requests": requests, "errors": errors, **more}
    return read_parts(ServerStatus, document)


def names(rules: Rules, *statuses: ServerStatus) -> list[list[str]]:
    return [[alert.name for alert in rules.judge(one, NO_REPORT)] for one in statuses]


def test_errors_are_those_since_the_last_look() -> None:
    told = names(
        Rules(),
        status(1000, 10),  # exactly the limit
        status(2000, 21),
        status(3000, 21),
        status(3000, 21),
    )
    assert told == [[], ["errors"], [], []]


def test_errors_of_another_release_are_not_compared() -> None:
    rules = Rules()
    rules.judge(status(10_000, 0), NO_REPORT)
    (alert,) = rules.judge(status(10, 1, digest="b", generation=2), NO_REPORT)
    assert alert.text == "1 of 10 requests failed."
    assert (alert.level, alert.value, alert.limit) == ("critical", 0.1, 0.01)


def test_slower_than_the_baseline() -> None:
    def at(p99: float, count: int = 50) -> ServerStatus:
        return status(baseline={"p99_ms": 4.0}, latency_ms={"p99": p99, "count": count})

    assert names(Rules(), at(8.0), at(8.1), at(80.0, count=19)) == [[], ["latency"], []]


def test_without_a_baseline_the_first_full_look_is_the_usual() -> None:
    def at(p99: float, count: int, digest: str = "a") -> ServerStatus:
        return status(digest=digest, latency_ms={"p99": p99, "count": count})

    told = names(
        Rules(),
        at(1.0, 5),
        at(4.0, 100),
        at(7.9, 100),
        at(8.1, 100),
        at(50.0, 100, digest="b"),
        at(60.0, 100, digest="b"),
    )
    assert told == [[], [], [], ["latency"], [], []]


def test_not_ready_and_a_failed_release() -> None:
    report = ServerReport(state="failed", error="It is broken.")
    first, second = Rules().judge(status(ready=False), report)
    assert (first.name, first.level) == ("not ready", "critical")
    assert "(It is broken)" in second.text


def test_another_process_is_a_restart_unless_a_release_came_with_it() -> None:
    told = names(Rules(), status(), status(pid=2), status(pid=3, digest="b"))
    assert told == [[], ["restarted"], []]


def test_metrics_are_read_line_by_line() -> None:
    text = '# HELP a b\na 1\nb{x="1 2"} 2.5e3\nc NaN?\nbroken\nd 4 1700000000000\n'
    assert parse_metrics(text) == {"a": 1.0, 'b{x="1 2"}': 2500.0, "d": 4.0}


def test_the_targets_own_verdict_on_its_speed_is_an_alert_with_the_cause() -> None:
    slower = {
        "verdict": "slower",
        "ratio": 1.8,
        "now_ms": 18.0,
        "baseline_ms": 10.0,
        "text": "1.80 times: the board throttles.",
    }
    (alert,) = Rules().judge(status(pace=slower), NO_REPORT)
    assert (alert.name, alert.value) == ("pace", 1.8)
    assert "the board throttles" in alert.text
    tiny = {**slower, "now_ms": 0.3, "baseline_ms": 0.1}
    others = ({"verdict": "as measured"}, tiny, None)
    assert names(Rules(), *(status(pace=one) for one in others), status()) == [[], [], [], []]


def test_rules_may_speak_of_speed_and_throttling() -> None:
    board = {"throttled": ["a", "b"], "celsius": None}
    sample = from_json(TargetSample, {"target": "roof", "pace": {"ratio": 1.5}, "board": board})
    assert value_of(sample, "pace.ratio") == 1.5
    assert value_of(sample, "board.throttled") == 2.0
    assert value_of(sample, "board.celsius") is None
    older = from_json(TargetSample, {"target": "roof", "pace": None})
    assert value_of(older, "pace.ratio") is None
    assert value_of(TargetSample("roof"), "pace.ratio") is None


def test_a_model_that_its_accelerator_does_not_compute_is_an_alert() -> None:
    works = {"wanted": ["cuda"], "used": ["cuda"], "nodes": {"cuda": 3}, "fallback": ""}
    lost = {**works, "used": ["cpu"], "fallback": "CUDA: no driver. Computed by CPU instead."}
    assert names(Rules(), status(placement=works), status(placement=lost)) == [[], ["provider"]]
    (alert,) = Rules().judge(status(placement=lost), NO_REPORT)
    assert alert.text.endswith("CUDA: no driver. Computed by CPU instead.")
    assert alert.level == "warning"
