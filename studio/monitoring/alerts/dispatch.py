"""Delivery of alerts: one notification when an alert fires, one when it resolves, with retries.

A thread sends the notifications, so a mail server that hangs delays no poll of a target. A failed
delivery is reported with the number of tries.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from studio.monitoring.alerts.channels import ChannelError, Notice, Send
from studio.monitoring.alerts.rules import METRICS, AlertRule
from studio.monitoring.alerts.silences import Silences
from studio.monitoring.endpoint.results import known
from studio.monitoring.results import Alert, TargetSample

TRIES = 3
WAIT_S = 1.0
MOST_WAITING = 100
_END_S = 20.0


class OwnRules:
    """The evaluation of samples by the rules of a file."""

    def __init__(self, rules: Sequence[AlertRule], clock: Callable[[], float] = time.monotonic):
        self._rules = rules
        self._clock = clock  # monotonic: changes of the system time have no effect
        self._since: dict[str, float] = {}
        self._before: TargetSample | None = None

    def judge(self, sample: TargetSample) -> list[Alert]:
        """Return the alerts of a sample."""
        now, found = self._clock(), []
        for rule in self._rules:
            if rule.targets and sample.target not in rule.targets:
                continue
            value = value_of(sample, rule.metric, self._before)
            if value is None or not rule.is_beyond(value):
                self._since.pop(rule.name, None)
                continue
            since = self._since.setdefault(rule.name, now)
            if now - since >= rule.for_s:
                side = "above" if rule.above is not None else "below"
                text = (
                    f"{rule.metric} ({METRICS[rule.metric]}) is {value:.4g}: {side} {rule.limit:g}."
                )
                found.append(Alert(rule.name, rule.level, text, value, rule.limit))
        self._before = sample
        return found


def value_of(sample: TargetSample, metric: str, before: TargetSample | None = None) -> float | None:
    """Return a metric of a sample; None if it lacks it, as one of an older runtime may."""
    if metric == "error_rate":
        requests, errors = sample.requests or 0, sample.errors or 0
        if before is not None:
            requests, errors = requests - (before.requests or 0), errors - (before.errors or 0)
        return errors / requests if requests > 0 and errors >= 0 else None
    if metric == "drifting":
        return float(sum(signal.drifts for signal in sample.drift))
    value: object = sample
    for name in metric.split("."):
        value = getattr(value, name, None)
    if isinstance(value, tuple):
        return float(len(value))
    return float(value) if isinstance(value, (int, float)) else None


def _notice(sample: TargetSample, alert: Alert | Notice) -> Notice:
    """Return the notification of an alert, with the time and the release of a sample."""
    return Notice(
        alert.name,
        alert.level,
        alert.text,
        alert.value,
        alert.limit,
        sample.at or None,
        known(sample.model),
        known(sample.version),
        known(sample.digest),
        sample.target,
    )


class Dispatcher:
    """The delivery of firing and resolved alerts to channels.

    Args:
        channels: Levels and sender of each channel, by name.
        failed: Called with a sentence after the first failed try, and when delivery is given up.
        holds: Silences and acknowledgements. A silenced alert is sent later if it is still firing.
            The end of an alert that was sent is always sent, so a ticket about it can be
            closed.
        held: Called with a sentence when a notification is silenced.
        taken: Called with the name of a channel after a delivery.
    """

    def __init__(
        self,
        channels: Mapping[str, tuple[Sequence[str], Send]],
        failed: Callable[[str, str], None],
        wait_s: float = WAIT_S,
        holds: Silences | None = None,
        held: Callable[[str], None] = lambda _: None,
        taken: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._channels = channels
        self._failed = failed
        self._wait_s = wait_s
        self._holds = holds or Silences(None)
        self._held = held
        self._taken = taken
        self._firing: dict[tuple[str, str], Notice] = {}
        self._back: set[tuple[str, str]] = set()
        self._queue: queue.Queue[tuple[str, Notice] | None] = queue.Queue(MOST_WAITING)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        if channels:
            self._thread.start()

    def dispatch(self, sample: TargetSample) -> None:
        """Send the changes between a sample's alerts and the earlier ones of its target."""
        target = sample.target
        now = {(target, alert.name): alert for alert in sample.alerts}
        for key, alert in now.items():
            if key not in self._firing and not self._is_held(key):
                notice = self._firing[key] = _notice(sample, alert)
                self._send(notice)
        gone = [key for key in (*self._firing, *self._back) if key[0] == target and key not in now]
        for key in gone:
            self._holds.over(*key)
            self._back.discard(key)
            if key in self._firing:
                over = _notice(sample, self._firing.pop(key))
                self._send(replace(over, state="resolved"))

    def _is_held(self, key: tuple[str, str]) -> bool:
        hold = self._holds.holding(*key)
        if hold is None:
            self._back.discard(key)
        elif key not in self._back:
            self._back.add(key)
            self._held(f"{key[1]} of {key[0]} is silenced: {hold.text}")
        return hold is not None

    def _send(self, notice: Notice) -> None:
        for name, (levels, _) in self._channels.items():
            if notice.level in levels:
                try:
                    self._queue.put_nowait((name, notice))
                except queue.Full:
                    self._failed(name, f"{MOST_WAITING} notices wait already; one was left out.")

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            name, notice = item
            error = ""
            for tried in range(TRIES):
                if tried and self._ended.wait(self._wait_s * 2 ** (tried - 1)):
                    break
                try:
                    self._channels[name][1](notice)
                except ChannelError as failure:
                    error = str(failure)
                    if not tried:  # report the failure now, not after the last try
                        self._failed(name, f"{error} It is tried again.")
                else:
                    error = ""
                    self._taken(name)
                    break
            if error:
                self._failed(name, f"{error} It was tried {tried + 1} times.")

    def close(self) -> None:
        """Send the waiting notifications, for a short time, and stop the thread."""
        if not self._channels:
            return
        try:
            self._queue.put(None, timeout=1.0)
        except queue.Full:
            self._ended.set()
        self._thread.join(_END_S)
        self._ended.set()
