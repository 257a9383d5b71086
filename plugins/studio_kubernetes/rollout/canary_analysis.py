"""Watching a canary for a while, and deciding by what the servers themselves count."""

from __future__ import annotations

import time
from collections.abc import Callable

from studio.api import Progress
from studio_kubernetes.manifests.names import CANARY, STABLE
from studio_kubernetes.rollout.canary import WAIT, CanaryRule, Decision, decide
from studio_kubernetes.rollout.server_metrics import between
from studio_kubernetes.rollout.serving_pods import ServingPods

_PAUSE_S = 2.0


class CanaryAnalysis:
    """Asks the pods of both tracks again and again, until the rule decides."""

    def __init__(
        self,
        pods: ServingPods,
        rule: CanaryRule | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pods = pods
        self._rule = rule or CanaryRule()
        self._clock = clock
        self._sleep = sleep

    def watch(self, seconds: float, progress: Progress) -> Decision:
        """Return the first decision within a time; after it, one that asks for more requests."""
        began = self._clock()
        first = self._pods.counters(STABLE), self._pods.counters(CANARY)
        while True:
            now = self._pods.counters(STABLE), self._pods.counters(CANARY)
            decision = decide(between(first[0], now[0]), between(first[1], now[1]), self._rule)
            passed = self._clock() - began
            progress.progress(min(passed, seconds), seconds, decision.reason)
            if decision.action != WAIT or passed >= seconds:
                return decision
            progress.check()
            self._sleep(min(_PAUSE_S, seconds - passed))
