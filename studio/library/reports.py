"""Reports of single steps: their tables and figures."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from studio.conversion.results import ConversionResult
from studio.documents.dataclass_json import to_json
from studio.documents.text_table import megabytes
from studio.evaluation.results import EvaluationResult
from studio.lazy_dataclass import dataclass
from studio.library.report import Cell, Report, ResultTable
from studio.models.results import ModelFigures, Terminal
from studio.monitoring.endpoint.results import CallResult, Latency, Percentiles
from studio.monitoring.results import TargetSample
from studio.profiling.results import ProfileResult
from studio.quantization.results import QuantizeResult

if TYPE_CHECKING:
    from studio.documents.figures import Figure

NAME_AND_VALUE = ("name", "value")


class ModelReport(Report[ModelFigures]):
    """The summary of a model: format, sizes, inputs and outputs, findings of the safety check."""

    def table(self) -> ResultTable:
        """Return a row for each figure, input, output and finding."""
        return ResultTable(NAME_AND_VALUE, model_rows(self.result))


def model_rows(figures: ModelFigures) -> list[tuple[str, Cell]]:
    """Return the figures of a model as rows of names and values."""
    opset = ", ".join(f"{name or 'ai.onnx'} {one}" for name, one in figures.opset.items())
    rows: list[tuple[str, Cell]] = [
        ("format", figures.format),
        ("opset", opset),
        ("precision", figures.precision),
        ("nodes", figures.nodes),
        ("parameters", figures.parameters),
        ("MACs", figures.macs),
        ("size", megabytes(figures.bytes)),
    ]
    rows += [(f"input {one.name}", _type(one)) for one in figures.inputs]
    rows += [(f"output {one.name}", _type(one)) for one in figures.outputs]
    return rows + [(one.level, one.text) for one in figures.intake]


def _type(value: Terminal) -> str:
    sizes = " x ".join("?" if one is None else str(one) for one in value.shape or ())
    return f"{value.dtype} {sizes}".strip()


class ConversionReport(Report[ConversionResult]):
    """A conversion: the comparison of the new model with its original, and warnings."""

    def table(self) -> ResultTable:
        """Return a row for each comparison with the original."""
        columns = ("output", "against", "samples", "max_error", "argmax_equal", "equal")
        made = self.result
        rows = [
            (made.output, one.against, one.samples, one.max_error, one.argmax_equal, one.equal)
            for one in made.checks
        ]
        return ResultTable(columns, rows)


class ProfileReport(Report[ProfileResult]):
    """A benchmark of variants in interleaved rounds, and the verdicts on their ratios."""

    def table(self) -> ResultTable:
        """Return a row for each run: latency, memory, error, and its ratio to the first run.

        A ratio is a time over that of the first run, with a confidence interval: below 1 is faster.
        """
        columns = (
            *("run", "backend", "precision", "threads", "p50_ms", "p90_ms", "p99_ms"),
            *("memory_mb", "max_error", "ratio", "low", "high", "verdict"),
        )
        verdicts = {one.b: one for one in self.result.main_verdicts}
        rows = []
        for run in self.result.runs:
            times, verdict = run.latency_ms, verdicts.get(run.id)
            compared: tuple[Cell, ...] = (None, None, None, run.reason)
            if verdict is not None:
                compared = (verdict.ratio, verdict.low, verdict.high, verdict.verdict)
            about = (run.id, run.runtime or run.backend, run.precision, run.threads)
            measured = (times.p50, times.p90, times.p99, run.memory_mb, run.max_error)
            rows.append((*about, *measured, *compared))
        return ResultTable(columns, rows)

    def figure(self, kind: Literal["intervals", "distribution"] = "intervals") -> Figure:
        """Draw the medians with 95 % intervals, or the distributions of the latencies.

        Raises:
            UsageError: when nothing was measured.
        """
        from studio.library.figures import latency_distribution
        from studio.profiling.figures import profile_figure

        if kind == "distribution":
            return latency_distribution(self.result.runs)
        return profile_figure(to_json(self.result))

    def compared_with(self, before: Report[ProfileResult]) -> Figure:
        """Draw this profile and an earlier one, with the verdict on each variant of both.

        Raises:
            UsageError: when they have no measured variant in common.
        """
        from studio.profiling.figures import comparison_figure

        return comparison_figure(to_json(before.result), to_json(self.result))


class EvaluationReport(Report[EvaluationResult]):
    """The metric of a model on labelled data: here, on held-out data, on a target."""

    def table(self) -> ResultTable:
        """Return a row for each value of the metric."""
        columns = ("data", "runtime", "metric", "value", "samples")
        return ResultTable(columns, self._rows())

    def figure(self) -> Figure:
        """Draw each value of the metric."""
        from studio.library.figures import metric_values

        values = [(f"{data}, {runtime}", value) for data, runtime, _, value, _ in self._rows()]
        return metric_values(self.result.metric, values)

    def _rows(self) -> list[tuple[str, str, str, float, int]]:
        made = self.result
        here, name = made.backend.title, made.metric.name
        rows = [("evaluation", here, name, made.metric.value, made.samples)]
        if made.heldout is not None:
            rows.append(("held-out", here, name, made.heldout.value, made.heldout.samples))
        if (there := made.target) is not None:
            runtime = f"{there.name}: {there.runtime} {there.version}"
            rows.append(("evaluation", runtime, name, there.value, made.samples))
        return rows


class QuantizationReport(Report[QuantizeResult]):
    """A quantization: what the new variant costs and saves, next to the other variants."""

    def table(self) -> ResultTable:
        """Return a row for each variant of the model, and for each trial of a layer search.

        ``latency_ratio`` is the time over that of the float model, and ``size_ratio`` the size.
        """
        columns = ("variant", "precision", "bytes", "size_ratio", "metric", "latency_ratio")
        before = self.result.bytes.before or 1
        rows = [
            (one.name, one.precision, one.bytes, one.bytes / before, one.metric, one.latency_ratio)
            for one in self.result.front
        ]
        return ResultTable(columns, rows)

    def figure(self) -> Figure:
        """Draw the metric of each variant against its size.

        Raises:
            UsageError: when no metric was measured.
        """
        from studio.library.figures import tradeoff

        return tradeoff(self.result)


class CallReport(Report[CallResult]):
    """Requests to an endpoint, with their latency in milliseconds."""

    def table(self) -> ResultTable:
        """Return one row."""
        columns = ("target", "requests", "answered", "failed", "p50_ms", "p90_ms", "p99_ms")
        made, times = self.result, self.result.latency_ms or Percentiles()
        counts = (made.target, made.requests, made.answered, made.failed)
        return ResultTable(columns, [(*counts, times.p50, times.p90, times.p99)])


@dataclass(frozen=True, repr=False)
class MonitorReport(Report[TargetSample]):
    """Samples of an endpoint.

    Attributes:
        samples: All samples, the oldest first; the last one is the result.
    """

    samples: tuple[TargetSample, ...] = field(default=())

    def table(self) -> ResultTable:
        """Return a row for each sample; latencies are those of the last minute."""
        columns = (
            *("at", "health", "version", "per_second", "requests", "errors"),
            *("p50_ms", "p90_ms", "p99_ms", "drifting", "alerts"),
        )
        return ResultTable(columns, map(_sample_row, self.samples))

    def figure(self) -> Figure:
        """Draw the latency of the last minute over the time of the samples.

        Raises:
            UsageError: when no request was answered.
        """
        from studio.library.figures import latency_over_time

        return latency_over_time(self.samples)


def _sample_row(sample: TargetSample) -> tuple[Cell, ...]:
    times = sample.latency_ms or Latency()
    drifting = ", ".join(one.name for one in sample.drift if one.drifts)
    alerts = ", ".join(one.name for one in sample.alerts)
    return (
        *(sample.at, sample.health, str(sample.version or "")),
        *(sample.throughput or 0.0, sample.requests or 0, sample.errors or 0),
        *(times.p50, times.p90, times.p99, drifting, alerts),
    )
