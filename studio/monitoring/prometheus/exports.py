"""Files for Prometheus, Alertmanager and Grafana: scraping, rules, routes, a dashboard.

The YAML is written without a library, as it only has numbers and quoted texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.documents.dataclass_json import JsonValue, from_json
from studio.lazy_dataclass import dataclass
from studio.monitoring.alerts.rules import AlertPlan, MailOptions, WebhookOptions
from studio.monitoring.expiry import CERTIFICATE_DAYS, DISK_MB

NO_PLAN = AlertPlan()
_ERRORS = 'nv_inference_request_failure{reason=~"BACKEND|REJECTED"}'
_ANSWERED = "nv_inference_request_success"
_P = "histogram_quantile({}, sum by (instance, le) (rate(edgewright_request_seconds_bucket[5m])))"
EXPRESSIONS = {
    "throughput": f"sum by (instance) (rate({_ANSWERED}[1m]))",
    "latency_ms.p50": "1000 * " + _P.format(0.5),
    "latency_ms.p90": "1000 * " + _P.format(0.9),
    "latency_ms.p99": "1000 * " + _P.format(0.99),
    "error_rate": f"sum by (instance) (rate({_ERRORS}[5m])) / (sum by (instance) "
    f"(rate({_ANSWERED}[5m])) + sum by (instance) (rate({_ERRORS}[5m])))",
    "memory_mb": "process_resident_memory_bytes / 1e6",
    "cpu_percent": "100 * rate(process_cpu_seconds_total[1m])",
    "in_flight": "sum by (instance) (nv_inference_pending_request_count)",
    "drifting": "edgewright_drift_alarm",
    "uptime_s": "time() - process_start_time_seconds",
    "pace.ratio": "max by (instance) (edgewright_latency_ratio)",
    "board.throttled": "edgewright_board_throttled",
    "board.celsius": "edgewright_board_celsius",
    "upkeep.disk_free_mb": "edgewright_disk_free_bytes / 1e6",
    "upkeep.certificate_days": "(edgewright_certificate_end_seconds - time()) / 86400",
    "accuracy": "edgewright_labels_right_total / edgewright_labels_total",
}
"""Metrics of rules as PromQL expressions."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A rule that the studio's own monitor also has."""

    name: str
    expression: str
    level: str
    for_s: int
    text: str


BUILT_IN = (
    BuiltIn("EdgewrightDown", "up == 0", "critical", 30, "The endpoint does not answer."),
    BuiltIn(
        "EdgewrightErrors",
        f"{EXPRESSIONS['error_rate']} > 0.01",
        "critical",
        60,
        "More than 1 % of the requests fail.",
    ),
    BuiltIn(
        "EdgewrightDrift",
        "edgewright_drift_alarm == 1",
        "warning",
        0,
        "What the model sees or answers differs from its reference data.",
    ),
    BuiltIn(
        "EdgewrightThrottled",
        "edgewright_board_throttled == 1 and on (instance) edgewright_latency_ratio > 1.1",
        "warning",
        60,
        "The model runs slower than it was measured, and the board is throttled.",
    ),
    BuiltIn(
        "EdgewrightCertificate",
        f"{EXPRESSIONS['upkeep.certificate_days']} < {CERTIFICATE_DAYS}",
        "warning",
        0,
        "The certificate ends within 30 days; the next deploy makes a new one.",
    ),
    BuiltIn(
        "EdgewrightDisk",
        f"edgewright_disk_free_bytes < {DISK_MB * 1e6:.0f} and "
        "edgewright_disk_free_bytes < 0.1 * edgewright_disk_bytes",
        "warning",
        60,
        "The disk is almost full.",
    ),
    BuiltIn(
        "EdgewrightFallback",
        "edgewright_provider_fallback == 1",
        "warning",
        60,
        "The accelerator does not compute the model.",
    ),
    BuiltIn(
        "EdgewrightRestarts",
        "increase(edgewright_worker_restarts_total[10m]) > 2",
        "warning",
        0,
        "The server's worker was replaced several times.",
    ),
)


def write_exports(
    folder: Path,
    endpoints: Mapping[str, str],
    plan: AlertPlan = NO_PLAN,
    interval_s: float = 15.0,
    alertmanager: str = "127.0.0.1:9093",
) -> list[Path]:
    """Write ``prometheus.yml``, ``edgewright-rules.yml``, ``alertmanager.yml``, ``grafana.json``.

    Args:
        endpoints: ``host:port`` (or a URL) of each target's endpoint, by target name.
        interval_s: Interval between two scrapes, in seconds.
        alertmanager: Address of the Alertmanager.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "prometheus.yml": _prometheus(endpoints, interval_s, alertmanager),
        "edgewright-rules.yml": rules(plan, interval_s),
        "alertmanager.yml": _alertmanager(plan),
        "grafana.json": json.dumps(dashboard(), indent=1) + "\n",
    }
    for name, content in contents.items():
        (folder / name).write_text(content, "utf-8")
    return [folder / name for name in contents]


def _text(value: str) -> str:
    """Return a YAML scalar; JSON strings are valid YAML."""
    return json.dumps(value)


def _prometheus(endpoints: Mapping[str, str], interval_s: float, alertmanager: str) -> str:
    lines = [
        "global:",
        f"  scrape_interval: {_duration(interval_s)}",
        f"  evaluation_interval: {_duration(interval_s)}",
        'rule_files: ["edgewright-rules.yml"]',
        "alerting:",
        "  alertmanagers:",
        f"    - static_configs: [{{targets: [{_text(alertmanager)}]}}]",
        "scrape_configs:",
    ]
    for scheme in ("http", "https"):
        lines += _job(scheme, endpoints)
    return "\n".join(lines) + "\n"


def _job(scheme: str, endpoints: Mapping[str, str]) -> list[str]:
    found = {
        name: url.partition("://")[2] or url
        for name, url in endpoints.items()
        if (url.partition("://")[0] if "://" in url else "http") == scheme
    }
    if not found:
        return []
    lines = [f"  - job_name: edgewright-{scheme}", f"    scheme: {scheme}"]
    if scheme == "https":
        lines.append("    # tls_config: {ca_file: ...}   the certificate of each target")
    lines += [
        "    # authorization: {credentials_file: ...}   where a token is asked for",
        "    static_configs:",
    ]
    for name, address in found.items():
        lines.append(f"      - targets: [{_text(address.rstrip('/'))}]")
        lines.append(f"        labels: {{target: {_text(name)}}}")
    return lines


def rules(plan: AlertPlan, interval_s: float = 15.0) -> str:
    """Return the studio's rules, and those of a file."""
    lines = ["groups:", "  - name: edgewright", "    rules:"]
    for one in BUILT_IN:
        lines += _rule(one.name, one.expression, one.for_s, one.level, one.text)
    for rule in plan.rules:
        sign = ">" if rule.above is not None else "<"
        expression = f"{EXPRESSIONS[rule.metric]} {sign} {rule.limit:g}"
        if rule.targets:
            names = "|".join(rule.targets)
            # Aggregates lose the label of the target, which ``up`` has for the same instance.
            expression = f'({expression}) and on (instance) up{{target=~"{names}"}}'
        text = f"{rule.metric} is {'above' if sign == '>' else 'below'} {rule.limit:g}."
        lines += _rule(rule.name, expression, rule.for_s, rule.level, text)
    return "\n".join(lines) + "\n"


def _rule(name: str, expression: str, for_s: float, level: str, text: str) -> list[str]:
    return [
        f"      - alert: {_text(name)}",
        f"        expr: {_text(expression)}",
        f"        for: {_duration(for_s)}",
        f"        labels: {{severity: {level}}}",
        f"        annotations: {{summary: {_text(text)}}}",
    ]


def _duration(seconds: float) -> str:
    # Prometheus accepts whole numbers only, so fractions of seconds become milliseconds.
    return f"{round(seconds * 1000)}ms"


def _alertmanager(plan: AlertPlan) -> str:
    """Return routes to the webhooks and mail addresses; secrets are named, never copied."""
    lines = ["route:", "  receiver: edgewright", "  group_by: [alertname, target]"]
    lines += ["  group_wait: 1s", "receivers:", "  - name: edgewright"]
    hooks = [
        from_json(WebhookOptions, one.options) for one in plan.channels if one.kind == "webhook"
    ]
    if hooks:
        lines.append("    webhook_configs:")
        lines += [f"      - url: {_text(one.url)}" for one in hooks]
    mails = [from_json(MailOptions, one.options) for one in plan.channels if one.kind == "email"]
    if mails:
        lines.append("    email_configs:")
    for mail in mails:
        lines.append(f"      - to: {_text(mail.recipients)}")
        lines.append(f"        from: {_text(mail.sender or 'edgewright')}")
        lines.append(f"        smarthost: {_text(f'{mail.host}:{mail.port}')}")
    return "\n".join(lines) + "\n"


def dashboard() -> dict[str, JsonValue]:
    """Return a Grafana dashboard of the metrics, with one line per target."""
    shown: Sequence[tuple[str, str, str]] = (
        ("Requests a second", "throughput", "reqps"),
        ("Latency p99", "latency_ms.p99", "ms"),
        ("Failed requests", "error_rate", "percentunit"),
        ("Drift alarm", "drifting", "none"),
        ("Memory", "memory_mb", "decmbytes"),
        ("Processor", "cpu_percent", "percent"),
    )
    source = {"type": "prometheus", "uid": "${source}"}
    panels = [
        {
            "id": place + 1,
            "title": title,
            "type": "timeseries",
            "datasource": source,
            "gridPos": {"h": 8, "w": 12, "x": 12 * (place % 2), "y": 8 * (place // 2)},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": [
                {
                    "refId": "A",
                    "datasource": source,
                    "expr": EXPRESSIONS[metric],
                    "legendFormat": "{{target}} {{instance}}",
                }
            ],
        }
        for place, (title, metric, unit) in enumerate(shown)
    ]
    return {
        "title": "Edgewright",
        "uid": "edgewright",
        "schemaVersion": 39,
        "tags": ["edgewright"],
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "annotations": {
            "list": [
                {
                    "name": "Versions",
                    "datasource": source,
                    "enable": True,
                    "iconColor": "blue",
                    "expr": "changes(edgewright_generation[1m]) > 0",
                    "titleFormat": "Another version",
                }
            ]
        },
        "panels": panels,
    }
