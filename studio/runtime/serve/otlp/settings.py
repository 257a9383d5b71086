"""Where metrics are exported to: an option, or the variables of OpenTelemetry."""

from __future__ import annotations

import math
from typing import Dict, Mapping, NamedTuple, Optional
from urllib.parse import unquote

from ...shared.errors import LoadError
from ...shared.web_address import WebAddress, web_address

ENDPOINT, METRICS_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
HEADERS, INTERVAL = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_METRIC_EXPORT_INTERVAL"
SERVICE, RESOURCE = "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"
_DISABLED = "OTEL_SDK_DISABLED"
_PATH, _NAME = "/v1/metrics", "service.name"
_INTERVAL_S = 60.0
_MOST = 100


class ExportSettings(NamedTuple):
    """Settings of an export.

    Attributes:
        interval_s: Seconds between two exports.
        headers: Sent with each, such as a token.
        resource: Attributes of this server.
    """

    address: WebAddress
    interval_s: float
    headers: Mapping[str, str]
    resource: Mapping[str, str]


def export_settings(option: str, environment: Mapping[str, str]) -> Optional[ExportSettings]:
    """Return the settings of an export; None where no collector is named.

    Args:
        option: Of the command line, which is the collector's address without a path; it wins.

    Raises:
        LoadError: in one sentence, when a value cannot be used.
    """
    if environment.get(_DISABLED, "").lower() == "true" and not option:
        return None
    whole = "" if option else environment.get(METRICS_ENDPOINT, "")
    base = option or environment.get(ENDPOINT, "")
    if not whole and not base:
        return None
    url = whole or base.rstrip("/") + _PATH
    try:
        address = web_address(url)
    except ValueError:
        sentence = "The collector's address {!r} is not one such as http://host:4318."
        raise LoadError(sentence.format((whole or base)[:200])) from None
    resource = _pairs(RESOURCE, environment)
    name = environment.get(SERVICE) or resource.get(_NAME) or "edgewright"
    return ExportSettings(
        address,
        _interval(environment.get(INTERVAL, "")),
        _pairs(HEADERS, environment),
        {**resource, _NAME: name},
    )


def _interval(text: str) -> float:
    if not text:
        return _INTERVAL_S
    try:
        found = float(text) / 1000
    except ValueError:
        found = math.nan
    if not 0.1 <= found <= 86_400:
        raise LoadError("{} is a number of milliseconds from 100.".format(INTERVAL))
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
