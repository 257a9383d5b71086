"""The work of the steps values and operator: one constant, or one operator, looked at closely."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy

from studio.api import Array, Extension, Format, UsageError
from studio.api.inspection import Inspector, OperatorDoc
from studio.jobs.step import Job
from studio.models.results import ConstantResult
from studio.models.step import OperatorOptions, ValuesOptions
from studio.plugin_host import PluginHost

_MOST_BYTES = 64 * 2**20
_BINS = 24
_PREVIEW = 64


def values(options: ValuesOptions, job: Job) -> ConstantResult:
    """Return statistics, histogram and first values of a constant.

    At most 64 MiB are read; ``read`` is their number of values.

    Raises:
        UsageError: when the model has no such constant, or it holds no numbers.
    """
    form = _inspector(options.model.format)
    job.progress(0, 1, f"Reading {options.name}")
    found = form.constant(Path(options.model.path), options.name, _MOST_BYTES)
    job.progress(1, 1, "Read")
    return statistics(options.name, found)


def operator(options: OperatorOptions, job: Job) -> OperatorDoc:
    """Return the documentation of an operator, or "" if it has none."""
    form = _inspector(options.model.format)
    domain, _, name = options.operator.rpartition(":")
    found = form.documentation(name, domain, options.version)
    return found or OperatorDoc(name, domain, since=0, text="")


def statistics(name: str, array: Array) -> ConstantResult:
    """Return statistics of a flat array; non-finite values are counted only."""
    # Complex numbers have no order, so their magnitudes count.
    wide = array.astype(numpy.float64) if array.dtype.kind != "c" else numpy.abs(array)
    finite = wide[numpy.isfinite(wide)]
    figures = ConstantResult(
        name=name,
        read=int(array.size),
        not_finite=int(wide.size - finite.size),
        zeros=float(numpy.mean(wide == 0)) if wide.size else 0.0,
        preview=tuple(_plain(value) for value in wide[:_PREVIEW].tolist()),
        histogram=(),
    )
    if not finite.size:
        return figures
    counts, edges = numpy.histogram(finite, bins=_BINS)
    return replace(
        figures,
        min=float(finite.min()),
        max=float(finite.max()),
        mean=float(finite.mean()),
        std=float(finite.std()),
        histogram=tuple(counts.tolist()),
        edges=(float(edges[0]), float(edges[-1])),
    )


def _plain(value: float) -> float | str:
    """Return a value for JSON, which cannot represent infinity and NaN."""
    return value if math.isfinite(value) else str(value)


def _inspector(name: str) -> Inspector:
    form: Format = PluginHost.discover().get(Extension.FORMAT, name)
    if not isinstance(form, Inspector):
        raise UsageError(f"The format {form.title} contains the graph only.")
    return form
