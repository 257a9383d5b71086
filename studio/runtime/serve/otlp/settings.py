"""Where telemetry is exported to: an option, or the variables of OpenTelemetry."""

from __future__ import annotations

import math
from typing import Dict, Mapping, NamedTuple, Optional
from urllib.parse import unquote

from ...shared.errors import LoadError
from ...shared.web_address import WebAddress, web_address

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
METRICS_ENDPOINT = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HEADERS, INTERVAL = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_METRIC_EXPORT_INTERVAL"
DELAY = "OTEL_BSP_SCHEDULE_DELAY"
SERVICE, RESOURCE = "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"
METRICS, TRACES = "OTEL_METRICS_EXPORTER", "OTEL_TRACES_EXPORTER"
NAME = "service.name"
_DISABLED = "OTEL_SDK_DISABLED"
_INTERVAL_S, _DELAY_S = 60.0, 5.0
_MOST = 100


class ExportSettings(NamedTuple):
    """Settings of an export.

    Attributes:
        metrics, traces: Where they are posted; None for those that are not exported.
        interval_s: Seconds between two exports of metrics.
        delay_s: Seconds that spans are collected for.
        headers: Sent with each, such as a token.
        resource: Attributes of this server.
        ca: Certificate authority of the collector, as PEM; empty for those of the system.
    """

    metrics: Optional[WebAddress]
    traces: Optional[WebAddress]
    interval_s: float
    delay_s: float
    headers: Mapping[str, str]
    resource: Mapping[str, str]
    ca: str = ""

    @property
    def turn_s(self) -> float:
        """Seconds between two turns of the export."""
        return min(self.interval_s, self.delay_s if self.traces is not None else math.inf)

    @property
    def host(self) -> str:
        """Host of the collector."""
        address = self.metrics or self.traces
        return "" if address is None else address.host


def export_settings(option: str, environment: Mapping[str, str]) -> Optional[ExportSettings]:
    """Return the settings of an export; None where no collector is named.

    Args:
        option: Of the command line, which is the collector's address without a path; it wins.

    Raises:
        LoadError: in one sentence, when a value cannot be used.
    """
    if environment.get(_DISABLED, "").lower() == "true" and not option:
        return None
    metrics = _address(option, environment, METRICS_ENDPOINT, METRICS, "/v1/metrics")
    traces = _address(option, environment, TRACES_ENDPOINT, TRACES, "/v1/traces")
    if metrics is None and traces is None:
        return None
    resource = _pairs(RESOURCE, environment)
    name = environment.get(SERVICE) or resource.get(NAME) or "edgewright"
    return ExportSettings(
        metrics,
        traces,
        _seconds(INTERVAL, environment, _INTERVAL_S),
        _seconds(DELAY, environment, _DELAY_S),
        _pairs(HEADERS, environment),
        {**resource, NAME: name},
    )


def _address(
    option: str, environment: Mapping[str, str], own: str, exporter: str, path: str
) -> Optional[WebAddress]:
    """Return where one kind of telemetry is posted.

    Args:
        own: Variable with an address for this kind alone.
        exporter: Variable that is ``none`` where this kind is not exported.
        path: Added to an address for all kinds.
    """
    if environment.get(exporter, "").lower() == "none":
        return None
    whole = "" if option else environment.get(own, "")
    base = option or environment.get(ENDPOINT, "")
    return collector_address(whole or base, "" if whole else path) if whole or base else None


def collector_address(url: str, path: str) -> WebAddress:
    """Read the address of a collector.

    Args:
        path: Added to it.

    Raises:
        LoadError: in one sentence, when it cannot be one.
    """
    try:
        return web_address(url.rstrip("/") + path if path else url)
    except ValueError:
        sentence = "The collector's address {!r} is not one such as http://host:4318."
        raise LoadError(sentence.format(url[:200])) from None


def _seconds(name: str, environment: Mapping[str, str], usual: float) -> float:
    text = environment.get(name, "")
    if not text:
        return usual
    try:
        found = float(text) / 1000
    except ValueError:
        found = math.nan
    if not 0.1 <= found <= 86_400:
        raise LoadError("{} is a number of milliseconds from 100.".format(name))
    return found


def _pairs(name: str, environment: Mapping[str, str]) -> Dict[str, str]:
    """Return the pairs of ``key=value,key=value``, percent-encoded."""
    found: Dict[str, str] = {}
    for part in filter(None, environment.get(name, "").split(",")):
        key, equals, value = part.partition("=")
        key, value = unquote(key.strip()), unquote(value.strip())
        plain = all(32 <= ord(one) <= 126 for one in key + value)
        if not equals or not key or not plain or ":" in key or len(found) >= _MOST:
            raise LoadError("{} is a list such as key=value,other=value.".format(name))
        found[key] = value
    return found
