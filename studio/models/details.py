"""The work of the steps values and operator: one constant, or one operator, looked at closely."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy

from studio.api import Array, Extension, Format, UsageError
from studio.api.inspection import Inspector
from studio.jobs.step import Arguments, Job, Result
from studio.plugin_host import PluginHost

_MOST_BYTES = 64 * 2**20
_BINS = 24
_PREVIEW = 64


def values(arguments: Arguments, job: Job) -> Result:
    """Statistics, histogram and first values of a constant.

    At most 64 MiB are read; ``read`` says how many values that were.

    Raises:
        UsageError: when the model has no such constant, or it holds no numbers.
    """
    reference = arguments["model"]
    form = _inspector(str(reference["format"]))
    job.progress(0, 1, f"Reading {arguments['name']}")
    found = form.constant(Path(reference["path"]), arguments["name"], _MOST_BYTES)
    job.progress(1, 1, "Read")
    return {"name": arguments["name"], "read": int(found.size), **statistics(found)}


def operator(arguments: Arguments, job: Job) -> Result:
    """The documentation of an operator; an empty text where nobody has written any."""
    form = _inspector(str(arguments["model"]["format"]))
    domain, _, name = str(arguments["operator"]).rpartition(":")
    found = form.documentation(name, domain, arguments["version"])
    return asdict(found) if found else {"operator": name, "domain": domain, "text": ""}


def statistics(array: Array) -> dict[str, Any]:
    """Figures of a flat array. What is not finite is counted and otherwise left out."""
    wide = array.astype(numpy.float64) if array.dtype.kind != "c" else numpy.abs(array)
    finite = wide[numpy.isfinite(wide)]
    figures: dict[str, Any] = {
        "not_finite": int(wide.size - finite.size),
        "zeros": float(numpy.mean(wide == 0)) if wide.size else 0.0,
        "preview": [_plain(value) for value in wide[:_PREVIEW].tolist()],
        "histogram": [],
    }
    if finite.size:
        counts, edges = numpy.histogram(finite, bins=_BINS)
        figures |= {
            "min": float(finite.min()),
            "max": float(finite.max()),
            "mean": float(finite.mean()),
            "std": float(finite.std()),
            "histogram": counts.tolist(),
            "edges": [float(edges[0]), float(edges[-1])],
        }
    return figures


def _plain(value: float) -> float | str:
    """JSON has no word for what is not finite."""
    return value if math.isfinite(value) else str(value)


def _inspector(name: str) -> Inspector:
    form: Format = PluginHost.discover().get(Extension.FORMAT, name)
    if not isinstance(form, Inspector):
        raise UsageError(f"The format {form.title} tells nothing beyond the graph.")
    return form
