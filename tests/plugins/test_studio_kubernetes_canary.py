"""The decision about a canary, on recorded counts; rollouts, as they were recorded."""

from __future__ import annotations

import math
from typing import Any

import pytest

from studio.api import Silent
from studio.api.platforms import wilson
from studio_kubernetes.cluster.refusals import refusal
from studio_kubernetes.rollout.canary import (
    PROMOTE,
    ROLL_BACK,
    WAIT,
    CanaryRule,
    Traffic,
    decide,
    newcombe,
)
from studio_kubernetes.rollout.canary_analysis import CanaryAnalysis
from studio_kubernetes.rollout.progress import (
    COMPLETE,
    FAILED,
    RUNNING,
    assess_deployment,
    assess_inference_service,
)
from studio_kubernetes.rollout.server_metrics import Counters, between, parse_counters

# What /metrics said before and after 600 requests to a server of the digits model (shortened).
BEFORE = """\
# HELP nv_inference_request_success Answered requests
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="digits",version="3"} 41
nv_inference_request_failure{model="digits",version="3",reason="BAD_REQUEST"} 7
nv_inference_request_failure{model="digits",version="3",reason="REJECTED"} 0
nv_inference_request_failure{model="digits",version="3",reason="BACKEND"} 1
edgewright_request_seconds_bucket{model="digits",version="3",le="0.0005"} 11
edgewright_request_seconds_bucket{model="digits",version="3",le="0.001"} 38
edgewright_request_seconds_bucket{model="digits",version="3",le="+Inf"} 41
edgewright_model_info{model="digits",version="3",digest="aa11",precision="int8"} 1
"""
AFTER = """\
nv_inference_request_success{model="digits",version="3"} 638
nv_inference_request_failure{model="digits",version="3",reason="BAD_REQUEST"} 90
nv_inference_request_failure{model="digits",version="3",reason="REJECTED"} 2
nv_inference_request_failure{model="digits",version="3",reason="BACKEND"} 2
edgewright_request_seconds_bucket{model="digits",version="3",le="0.0005"} 211
edgewright_request_seconds_bucket{model="digits",version="3",le="0.001"} 608
edgewright_request_seconds_bucket{model="digits",version="3",le="+Inf"} 638
edgewright_model_info{model="digits",version="3",digest="aa11",precision="int8"} 1
"""


def traffic(requests: int, errors: int, ms: float = 1.0) -> Traffic:
    """Requests of which half lie in one bucket, half in the next."""
    bound = ms / 1000
    return Traffic(requests, errors, {bound / 2: 0, bound: requests, math.inf: requests})


def test_metrics_are_read() -> None:
    before, after = parse_counters(BEFORE), parse_counters(AFTER)
    assert (before.requests, before.errors, before.digest) == (42, 1, "aa11")
    seen = between([before], [after])
    assert (seen.requests, seen.errors) == (600, 3)
    assert seen.percentile_s(0.5) == pytest.approx(0.0005 + 0.0005 * (298.5 - 200) / 370)


def test_garbage_in_metrics_is_passed_over() -> None:
    assert parse_counters("a b c\n{}\n\x00") == Counters()


def test_a_server_that_started_anew_counts_from_nothing() -> None:
    seen = between([Counters(500, 9)], [Counters(20, 1)])
    assert (seen.requests, seen.errors) == (20, 1)


@pytest.mark.parametrize(
    ("errors", "requests", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: 81/263, 15/148, 0/20, 1/29
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(errors: int, requests: int, low: float, high: float) -> None:
    assert wilson(errors, requests) == pytest.approx((low, high), abs=5e-5)


def test_newcombe() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 873-890, table II (a): 56/70 - 48/80, method 10
    low, high = newcombe(Traffic(70, 56), Traffic(80, 48))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


CASES = [
    # healthy: 0.1 % of errors on both, the same latency
    (traffic(8000, 8), traffic(2000, 2), PROMOTE, "latency is 1.00"),
    # no requests yet
    (traffic(100, 0), traffic(0, 0), WAIT, "had 0 of 200"),
    # a canary that fails half of its few requests is not waited for
    (traffic(160, 0), traffic(40, 20), ROLL_BACK, "50.00 % of its requests fail"),
    # one error of 40 says little
    (traffic(160, 0), traffic(40, 1), WAIT, "had 40 of 200"),
    # twice the latency
    (traffic(8000, 8, 1.0), traffic(2000, 2, 2.0), ROLL_BACK, "p90 latency is 2.00 times"),
    # a little slower
    (traffic(8000, 8, 1.0), traffic(2000, 2, 1.2), PROMOTE, "1.20"),
    # 0.9 % more errors of 300 requests: may be more than 1 %, may be none
    (traffic(1200, 3), traffic(300, 4), WAIT, "not enough requests to tell"),
    # both fail alike: the canary is not to blame
    (traffic(8000, 800), traffic(8000, 800), PROMOTE, "10.00 % of the others"),
    # better than the release before it
    (traffic(8000, 400), traffic(2000, 4), PROMOTE, "0.20 % of its requests"),
]


@pytest.mark.parametrize(("stable", "canary", "action", "text"), CASES)
def test_decisions(stable: Traffic, canary: Traffic, action: str, text: str) -> None:
    decision = decide(stable, canary)
    assert decision.action == action, decision.reason
    assert text in decision.reason


def test_a_judge_asks_until_the_rule_decides() -> None:
    counts = {"stable": 0, "canary": 0}

    class Served:
        def counters(self, track: str) -> list[Counters]:
            counts[track] += 50
            return [Counters(counts[track], 0, {1.0: counts[track]})]

    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    served: Any = Served()
    judge = CanaryAnalysis(
        served, CanaryRule(requests=200, more_errors=0.05), clock=lambda: now[0], sleep=sleep
    )
    assert judge.watch(600, Silent()).action == PROMOTE
    assert counts["canary"] == 250
    assert now[0] < 10


def test_a_judge_that_hears_nothing_leaves_it_to_the_user() -> None:
    class Served:
        def counters(self, track: str) -> list[Counters]:
            return []

    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    served: Any = Served()
    decision = CanaryAnalysis(served, clock=lambda: now[0], sleep=sleep).watch(30, Silent())
    assert decision.action == WAIT
    assert now[0] == 30


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "generation": 3},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 3, **status},
    }


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x-1"}, "status": status}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return pod(containerStatuses=[{"name": "server", "state": state, **more}])


DONE = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
ROLLOUTS: list[tuple[dict[str, Any], list[dict[str, Any]], str, str]] = [
    (deployment(**DONE), [], COMPLETE, "2 of 2 replicas ready"),
    (deployment(**{**DONE, "observedGeneration": 2}), [], RUNNING, "has not looked"),
    (deployment(**{**DONE, "replicas": 3}), [], RUNNING, "2 of 2"),
    (deployment(), [waiting("ImagePullBackOff", "no such host")], FAILED, "no such host"),
    (deployment(), [waiting("ContainerCreating")], RUNNING, "0 of 2"),
    (deployment(), [waiting("CrashLoopBackOff")], FAILED, "ends again and again"),
    (
        deployment(),
        [waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 3}})],
        FAILED,
        "exit status 3",
    ),
    (
        deployment(),
        [waiting("CrashLoopBackOff", lastState={"terminated": {"reason": "OOMKilled"}})],
        FAILED,
        "more memory than its limit",
    ),
    (
        deployment(conditions=[{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]),
        [],
        FAILED,
        "within the time limit",
    ),
    (
        deployment(
            conditions=[
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "message": 'pods "x" is forbidden: exceeded quota: small, requested: pods=1',
                }
            ]
        ),
        [],
        FAILED,
        "quota does not allow it (quota: small",
    ),
]


@pytest.mark.parametrize(("there", "pods", "state", "text"), ROLLOUTS)
def test_rollouts(there: dict[str, Any], pods: list[dict[str, Any]], state: str, text: str) -> None:
    rollout = assess_deployment(there, pods)
    assert rollout.state == state, rollout.text
    assert text in rollout.text


def test_rollout_of_an_inference_service() -> None:
    service: dict[str, Any] = {"metadata": {"generation": 2}, "status": {}}
    assert assess_inference_service(service, []).state == RUNNING
    message = "Revision failed: no image"
    service["status"] = {"conditions": [{"type": "Ready", "status": "False", "message": message}]}
    assert assess_inference_service(service, []).text == message
    assert assess_inference_service(service, [waiting("ImagePullBackOff")]).state == FAILED
    service["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert assess_inference_service(service, []).state == COMPLETE
    service["status"]["observedGeneration"] = 1
    assert assess_inference_service(service, []).state == RUNNING


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (429, "", "too busy"),
        (500, '{"message": "etcdserver: request timed out"}', "etcdserver: request timed out."),
        (502, "<html>Bad gateway</html>", "HTTP 502"),
        (409, '{"reason": "Conflict", "message": "modified"}', "at the same time"),
        (403, '{"message": "no"}', "does not allow Service x: no."),
        (404, "", "has no Service x"),
        (422, '{"message": "m", "details": {"causes": [{"field": "a", "message": "b"}]}}', "a: b."),
        (400, "[1]", "does not accept Service x"),
    ],
)
def test_refusals(status: int, body: str, text: str) -> None:
    error = refusal(status, body, "Service x")
    assert text in error.message
    assert "\n" not in error.message
