"""What a rule and each kind of channel can say, as options: the forms of the window."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import Kind, Option
from studio.monitoring.alert_rules import LEVELS, METRICS

SIDES = ("above", "below")
TITLES: Mapping[str, str] = {
    "throughput": "Requests a second",
    "latency_ms.p50": "p50 latency (ms)",
    "latency_ms.p90": "p90 latency (ms)",
    "latency_ms.p99": "p99 latency (ms)",
    "error_rate": "Share of errors",
    "memory_mb": "Memory (MB)",
    "cpu_percent": "Processor (% of a core)",
    "in_flight": "Requests under way",
    "drifting": "Signals that drift",
    "pace.ratio": "Pace against before",
    "board.throttled": "Reasons to throttle",
    "board.celsius": "Hottest zone (°C)",
    "accuracy": "Accuracy (labels)",
    "uptime_s": "Uptime (s)",
}
"""The figures as a form has room for them."""
_LEVEL_TITLES = ("Warning", "Critical")

RULE_OPTIONS: tuple[Option, ...] = (
    Option("name", help="What the alert is called; the figure's name without it."),
    Option(
        "metric",
        Kind.CHOICE,
        "latency_ms.p99",
        title="Figure",
        choices=tuple(METRICS),
        choice_titles=tuple(TITLES.get(metric, text) for metric, text in METRICS.items()),
        required=True,
    ),
    Option("side", Kind.CHOICE, "above", title="Alert when it is", choices=SIDES),
    Option("limit", Kind.NUMBER, title="Limit", required=True, help="In the figure's own unit."),
    Option(
        "for_s",
        Kind.NUMBER,
        0,
        title="For at least",
        unit="s",
        minimum=0,
        maximum=604800,
        help="So long beyond the limit before it is an alert.",
    ),
    Option("level", Kind.CHOICE, "warning", choices=LEVELS, choice_titles=_LEVEL_TITLES),
    Option("targets", many=True, help="Names of targets, with commas; none stands for all."),
)

CHANNEL_OPTIONS: Mapping[str, tuple[Option, ...]] = {
    "desktop": (),
    "email": (
        Option("host", title="Mail server", required=True, help="Its name or address."),
        Option("port", Kind.INTEGER, 587, minimum=1, maximum=65535),
        Option("to", required=True, many=True, help="Addresses, with commas."),
        Option("sender", help="The address that mails come from."),
        Option("user", help="Where the server wants a login."),
        Option(
            "tls",
            Kind.CHOICE,
            title="Encryption",
            choices=("starttls", "tls", "none"),
            choice_titles=("STARTTLS", "TLS", "None"),
            help="STARTTLS by default where there is a user, else none.",
        ),
        Option("password_secret", title="Name of the password", advanced=True),
    ),
    "webhook": (
        Option("url", title="Address", required=True, help="http:// or https://"),
        Option("signing_secret", title="Name of the signing key", advanced=True),
        Option("token_secret", title="Name of the bearer token", advanced=True),
    ),
}
"""Of the kinds that the studio has itself; a monitor of a plugin has its own."""

LEVELS_OPTION = Option(
    "levels", Kind.CHOICE, LEVELS, choices=LEVELS, choice_titles=_LEVEL_TITLES, many=True
)
SECRET_OF = {"email": "password_secret", "webhook": "signing_secret"}
"""The option that names the secret which a form asks for; ``password_secret`` of plugins."""
