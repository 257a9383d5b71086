"""Options of alert rules and of each kind of channel, for the forms of the window."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import Kind, Option
from studio.monitoring.alerts.rules import LEVELS, METRICS
from studio.monitoring.webhooks.options import MODES

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
    "pace.ratio": "Speed vs baseline",
    "board.throttled": "Reasons to throttle",
    "board.celsius": "Hottest zone (°C)",
    "accuracy": "Accuracy (labels)",
    "uptime_s": "Uptime (s)",
    "upkeep.disk_free_mb": "Free disk (MB)",
    "upkeep.certificate_days": "Certificate (days left)",
}
"""Short names of the metrics for a form."""
_LEVEL_TITLES = ("Warning", "Critical")

RULE_OPTIONS: tuple[Option, ...] = (
    Option(
        "name",
        help="Name of the alert. Default: the metric.",
        placeholder="the metric",
    ),
    Option(
        "metric",
        Kind.CHOICE,
        "latency_ms.p99",
        title="Metric",
        choices=tuple(METRICS),
        choice_titles=tuple(TITLES.get(metric, text) for metric, text in METRICS.items()),
        required=True,
        help="Metric of each target to compare with the limit.",
    ),
    Option(
        "side",
        Kind.CHOICE,
        "above",
        title="Alert when metric is",
        choices=SIDES,
        help="Side of the limit that fires the alert.",
    ),
    Option(
        "limit", Kind.NUMBER, title="Limit", required=True, help="Limit, in the unit of the metric."
    ),
    Option(
        "for_s",
        Kind.NUMBER,
        0,
        title="Minimum duration",
        unit="s",
        minimum=0,
        maximum=604800,
        zero="at once",
        help="Time beyond the limit before the alert fires.",
    ),
    Option(
        "level",
        Kind.CHOICE,
        "warning",
        choices=LEVELS,
        choice_titles=_LEVEL_TITLES,
        help="Severity of the alert. Channels can be limited to a level.",
    ),
    Option(
        "targets",
        many=True,
        help="Target names, separated by commas. Default: all.",
        placeholder="all",
    ),
)

CHANNEL_OPTIONS: Mapping[str, tuple[Option, ...]] = {
    "desktop": (),
    "email": (
        Option(
            "host",
            title="Mail server",
            required=True,
            help="Host name or address.",
            placeholder="mail.example.org",
        ),
        Option(
            "port",
            Kind.INTEGER,
            587,
            minimum=1,
            maximum=65535,
            help="587 with STARTTLS, 465 with TLS, 25 without encryption.",
        ),
        Option(
            "to",
            required=True,
            many=True,
            help="Email addresses, separated by commas.",
            placeholder="ann@example.org, bob@example.org",
        ),
        Option(
            "sender",
            help="Sender address.",
            placeholder="the user, or edgewright@localhost",
        ),
        Option("user", help="User name, if the server requires a login.", placeholder="no login"),
        Option(
            "tls",
            Kind.CHOICE,
            title="Encryption",
            choices=("starttls", "tls", "none"),
            choice_titles=("STARTTLS", "TLS", "None"),
            help="Default: STARTTLS with a user, none without.",
            placeholder="automatic",
        ),
        Option(
            "password_secret",
            title="Name of the password",
            advanced=True,
            help="Name of the secret on this computer.",
            placeholder="none",
        ),
    ),
    "webhook": (
        Option(
            "url",
            title="Address",
            required=True,
            help="http:// or https://",
            placeholder="https://example.org/hook",
        ),
        Option(
            "signing_secret",
            title="Name of the signing key",
            advanced=True,
            help="Secret that signs each message (HMAC-SHA256).",
            placeholder="not signed",
        ),
        Option(
            "token_secret",
            title="Name of the bearer token",
            advanced=True,
            help="Secret that is sent as bearer token.",
            placeholder="no token",
        ),
    ),
    "cloudevents": (
        Option(
            "url",
            title="Address",
            required=True,
            help="http:// or https://",
            placeholder="https://example.org/events",
        ),
        Option(
            "mode",
            Kind.CHOICE,
            "binary",
            choices=MODES,
            help="Attributes as headers (binary), or all in one JSON document (structured).",
        ),
        Option(
            "token_file",
            title="File of the bearer token",
            advanced=True,
            help="File that only you may read (mode 600).",
            placeholder="no token",
        ),
        Option(
            "token_secret",
            title="Name of the bearer token",
            advanced=True,
            help="Secret that is sent as bearer token.",
            placeholder="no token",
        ),
        Option(
            "signing_file",
            title="File of the signing key",
            advanced=True,
            help="File that only you may read (mode 600).",
            placeholder="not signed",
        ),
        Option(
            "signing_secret",
            title="Name of the signing key",
            advanced=True,
            help="Secret that signs each event (HMAC-SHA256).",
            placeholder="not signed",
        ),
        Option(
            "handshake",
            Kind.FLAG,
            True,
            title="Ask the receiver first",
            advanced=True,
            help="Send events only after the receiver has allowed them (OPTIONS).",
        ),
        Option(
            "origin",
            title="Name of the sender",
            advanced=True,
            help="Name in the handshake and in the source of events.",
            placeholder="name of this computer",
        ),
    ),
}
"""Options of the built-in kinds; a plugin's monitor has its own."""

LEVELS_OPTION = Option(
    "levels",
    Kind.CHOICE,
    LEVELS,
    choices=LEVELS,
    choice_titles=_LEVEL_TITLES,
    many=True,
    help="Levels that notify this channel.",
)
SECRET_OF = {
    "email": "password_secret",
    "webhook": "signing_secret",
    "cloudevents": "signing_secret",
}
"""The option with the name of a secret that a form asks for; ``password_secret`` for plugins."""
