"""History of an endpoint as a Prometheus server has kept it."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from studio.api import TargetError, UsageError
from studio.monitoring.prometheus.exports import EXPRESSIONS

_TIMEOUT_S = 15.0
_MOST_BYTES = 32 << 20
_POINTS = 300


def history(
    server: str, target: str, metric: str, end: float, seconds: float, step_s: float = 0.0
) -> dict[str, list[list[float]]]:
    """The values of a figure: ``[time, value]`` pairs by instance.

    Args:
        server: The address of Prometheus.
        target: As the exported scrape configuration names it.
        metric: A key of ``exports.EXPRESSIONS``.
        end: Seconds since the epoch.
        step_s: Between two points; 0 for some 300 of them.

    Raises:
        UsageError: for an address or a figure that cannot be.
        TargetError: when Prometheus does not answer, or refuses, in its words.
    """
    if metric not in EXPRESSIONS:
        known = ", ".join(EXPRESSIONS)
        raise UsageError(f"There is no figure {metric!r}.", hint=f"Known: {known}.")
    if not server.startswith(("http://", "https://")):
        raise UsageError(f"{server} is no address of a Prometheus server.")
    step = step_s or max(seconds / _POINTS, 1.0)
    name = target.replace("\\", "\\\\").replace('"', '\\"')
    query = {
        "query": f'({EXPRESSIONS[metric]}) and on (instance) up{{target="{name}"}}',
        "start": f"{end - seconds:.3f}",
        "end": f"{end:.3f}",
        "step": f"{step:.3f}",
    }
    found = _ask(f"{server.rstrip('/')}/api/v1/query_range?{urllib.parse.urlencode(query)}")
    return {
        str(series.get("metric", {}).get("instance") or "all"): [
            [float(at), float(value)]
            for at, value in series.get("values") or ()
            if math.isfinite(float(value))
        ]
        for series in found
    }


def _ask(url: str) -> list[dict[str, Any]]:
    where = url.partition("/api/")[0]
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            document = json.loads(answer.read(_MOST_BYTES))
        result = document["data"]["result"]
    except urllib.error.HTTPError as error:
        with error:
            reason = error.read(2000).decode("utf-8", "replace")
        raise TargetError(f"Prometheus at {where} refuses.", detail=reason) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(getattr(error, "reason", error))
        raise TargetError(f"Prometheus at {where} does not answer: {reason}.") from None
    return list(result)
