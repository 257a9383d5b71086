"""Alert rules and channels from a TOML file; unknown keys are errors."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.documents.toml_text import loads
from studio.lazy_dataclass import dataclass
from studio.monitoring.webhooks.options import MODES, CloudEventsOptions

LEVELS = ("warning", "critical")
METRICS = {
    "throughput": "requests a second",
    "latency_ms.p50": "median latency, ms",
    "latency_ms.p90": "ninth decile of the latency, ms",
    "latency_ms.p99": "99th percentile of the latency, ms",
    "error_rate": "share of requests that failed since the last look",
    "memory_mb": "resident memory, MB",
    "cpu_percent": "processor time, % of one core",
    "in_flight": "requests without an answer yet",
    "drifting": "signals that differ from the reference data",
    "pace.ratio": "time in the model through what was measured before",
    "board.throttled": "reasons for which the board is throttled",
    "board.celsius": "the board's hottest zone, °C",
    "accuracy": "share of labelled answers that were right",
    "uptime_s": "seconds since the server began",
    "upkeep.disk_free_mb": "free on the target's disk, MB",
    "upkeep.certificate_days": "days until the certificate ends",
}
_RULE = ("name", "metric", "above", "below", "for_s", "level", "targets")
_PLACES = ("url", "to", "host")
Table = Mapping[str, object]
"""A table of the file with unchecked values."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A limit of one metric.

    Attributes:
        metric: A key of ``METRICS``.
        above, below: The limit; exactly one is set.
        for_s: How long the metric must exceed the limit, in seconds.
        targets: Names of targets; empty for all.
    """

    name: str
    metric: str
    above: float | None = None
    below: float | None = None
    for_s: float = 0.0
    level: str = "warning"
    targets: tuple[str, ...] = ()

    def is_beyond(self, value: float) -> bool:
        """Return whether a value exceeds the limit."""
        if self.above is not None:
            return value > self.above
        return self.below is not None and value < self.below

    @property
    def limit(self) -> float:
        """The value of the limit."""
        return float(self.above if self.above is not None else self.below or 0.0)


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A destination of alerts.

    Attributes:
        kind: ``desktop``, ``email``, ``webhook``, ``cloudevents``, or the id of a monitor of a
            plugin (``mqtt``).
        levels: Levels of alerts that the channel receives.
        options: Options of the kind.
    """

    kind: str
    name: str
    levels: tuple[str, ...] = LEVELS
    options: Table = field(default_factory=dict)

    @property
    def destination(self) -> str:
        """The destination; a webhook's path is left out, as it is often the only secret."""
        found = next((self.options[key] for key in _PLACES if self.options.get(key)), None)
        if isinstance(found, list):
            return ", ".join(map(str, found))
        text = str(found or "this computer")
        return "/".join(text.split("/")[:3]) if self.kind in WEBHOOKS else text


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """The rules and channels of a file."""

    rules: tuple[AlertRule, ...] = ()
    channels: tuple[ChannelSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class MailOptions:
    """Options of a channel of the kind ``email``.

    Attributes:
        password_secret: Name of the secret that holds the password.
        tls: A member of ``MAIL_TLS``; None for STARTTLS where there is a user.
    """

    host: str = ""
    to: str | tuple[str, ...] = ""
    port: int = 587
    sender: str = ""
    user: str = ""
    password_secret: str = ""
    tls: str | None = None

    @property
    def recipients(self) -> str:
        """The addresses, joined with commas."""
        return self.to if isinstance(self.to, str) else ", ".join(self.to)


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Options of a channel of the kind ``webhook``; secrets are given by name."""

    url: str = ""
    signing_secret: str = ""
    token_secret: str = ""


CHANNELS: Mapping[str, Sequence[str]] = {
    "desktop": (),
    "email": ("host", "port", "sender", "to", "user", "password_secret", "tls"),
    "webhook": ("url", "signing_secret", "token_secret"),
    "cloudevents": (
        *("url", "mode", "signing_secret", "token_secret", "signing_file", "token_file"),
        *("handshake", "origin"),
    ),
}
"""Options of each built-in kind."""
WEBHOOKS = ("webhook", "cloudevents")
MAIL_TLS = ("starttls", "tls", "none")


def read_alerts(path: Path, plugins: Sequence[str] = ()) -> AlertPlan:
    """Read a file of rules and channels.

    Args:
        plugins: Ids of the monitors that plugins add.

    Raises:
        UsageError: naming file, table and key, and the nearest known key.
    """
    try:
        content = loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is not valid TOML: {error}.") from None
    try:
        return alerts_of(content, plugins)
    except UsageError as error:
        raise UsageError(f"{path.name}: {error.message}", hint=error.hint) from None


def alerts_of(content: Table, plugins: Sequence[str] = ()) -> AlertPlan:
    """Return the rules and channels of parsed content, as in a pipeline."""
    _known(content, ("rules", "channels"), "An alert file")
    rules = [_rule(table, n) for n, table in enumerate(_tables(content, "rules"), 1)]
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Two rules are named {name!r}.")
    channels = [_channel(t, n, plugins) for n, t in enumerate(_tables(content, "channels"), 1)]
    channels = _numbered(channels)
    called = [channel.name for channel in channels]
    for name in called:
        if called.count(name) > 1:
            raise UsageError(f"Two channels are named {name!r}.", hint="Give each a name.")
    return AlertPlan(tuple(rules), tuple(channels))


def _numbered(channels: Sequence[ChannelSpec]) -> list[ChannelSpec]:
    """Name unnamed channels after their kind, with a number from the second on."""
    found: list[ChannelSpec] = []
    for channel in channels:
        alike = 1 + sum(one.kind == channel.kind for one in found)
        name = channel.name or (channel.kind if alike == 1 else f"{channel.kind} {alike}")
        found.append(replace(channel, name=name))
    return found


def _tables(content: Table, key: str) -> list[Table]:
    found = content.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{key} is a list of tables: write [[{key}]].")
    return found


def _known(table: Table, keys: Sequence[str], what: str) -> None:
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(keys) or 'none'}."
            raise UsageError(f"{what} has no key {key!r}.", hint=hint)


@dataclass(frozen=True, slots=True)
class _RuleTable:
    """The text fields of a rule, unparsed."""

    name: object = ""
    metric: object = ""
    level: object = "warning"


def _rule(table: Table, number: int) -> AlertRule:
    written = from_json(_RuleTable, table)
    what = f"Rule {written.name or number}"
    _known(table, _RULE, what)
    metric = str(written.metric)
    if metric not in METRICS:
        near = difflib.get_close_matches(metric, METRICS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(METRICS)}."
        raise UsageError(f"{what}: unknown metric {metric!r}.", hint=hint)
    # An alert fires on one side only; two rules give both sides.
    if ("above" in table) == ("below" in table):
        raise UsageError(f"{what} needs one limit: above or below.")
    level = str(written.level)
    if level not in LEVELS:
        raise UsageError(f"{what}: the level is {' or '.join(LEVELS)}, not {level!r}.")
    return AlertRule(
        str(written.name or metric),
        metric,
        _number(table, "above", what),
        _number(table, "below", what),
        _seconds(table, what),
        level,
        _names(table, "targets", what),
    )


def _seconds(table: Table, what: str) -> float:
    seconds = _number(table, "for_s", what) or 0.0
    if seconds < 0:
        raise UsageError(f"{what}: for_s is 0 or more, not {seconds:g}.")
    return seconds


def _names(table: Table, key: str, what: str, default: object = ()) -> tuple[str, ...]:
    """Return a list of names; a single text is an error, as it would become single letters."""
    value = table.get(key, default)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise UsageError(f'{what}: {key} is a list of names: write {key} = ["..."].')
    return tuple(value)


def _number(table: Table, key: str, what: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    # In Python a bool is an int, but ``true`` is no limit.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{what}: {key} is a number, not {value!r}.")
    return float(value)


@dataclass(frozen=True, slots=True)
class _ChannelTable:
    """The common text fields of a channel, unparsed."""

    kind: object = ""
    name: object = ""


def _channel(table: Table, number: int, plugins: Sequence[str]) -> ChannelSpec:
    written = from_json(_ChannelTable, table)
    kind = str(written.kind)
    if kind not in CHANNELS and kind not in plugins:
        known = ", ".join([*CHANNELS, *plugins])
        raise UsageError(
            f"Channel {number} has an unknown kind: {kind!r}.", hint=f"Known: {known}."
        )
    levels = _names(table, "levels", f"Channel {number}", LEVELS)
    if not levels or not set(levels) <= set(LEVELS):
        raise UsageError(f"Channel {number}: the levels are {' and '.join(LEVELS)}, one at least.")
    options = {k: v for k, v in table.items() if k not in ("kind", "name", "levels")}
    if kind in CHANNELS:
        _known(options, CHANNELS[kind], f"The {kind} channel")
    try:
        if kind == "webhook":
            _check_url(kind, from_json(WebhookOptions, options).url)
        if kind == "cloudevents":
            _check_events(from_json(CloudEventsOptions, options))
        if kind == "email":
            _check_mail(from_json(MailOptions, options))
    except InvalidDocument as error:
        raise UsageError(f"The {kind} channel: {error}") from None
    return ChannelSpec(kind, str(written.name or ""), levels, options)


def _check_url(kind: str, url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"The {kind} channel needs a url that begins with http:// or https://.")


def _check_events(options: CloudEventsOptions) -> None:
    _check_url("cloudevents", options.url)
    if options.mode not in MODES:
        raise UsageError(
            f"The cloudevents channel: mode is {' or '.join(MODES)}, not {options.mode!r}."
        )


def _check_mail(options: MailOptions) -> None:
    if not (options.host and options.to):
        raise UsageError("The email channel needs host and to.")
    if not 0 < options.port < 65536:
        raise UsageError(f"The email channel: port is a number up to 65535, not {options.port}.")
    if options.tls is not None and options.tls not in MAIL_TLS:
        raise UsageError(f"The email channel: tls is {', '.join(MAIL_TLS)}, not {options.tls!r}.")
