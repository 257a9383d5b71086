"""The work of the step analyze: numbers of one analyzer by node."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from studio.api import Analyzer, Array, Extension, Format, Graph, Progress, UsageError
from studio.api.inspection import Inspector, WeightAnalyzer
from studio.jobs.step import Job
from studio.lazy_dataclass import dataclass
from studio.models.drawing.overlay import Overlay
from studio.models.opening import OpenedModel, format_for, read_model
from studio.models.results import AnalysisResult
from studio.models.shapes import parse
from studio.models.step import AnalyzeOptions
from studio.plugin_host import PluginHost


@dataclass(frozen=True, slots=True)
class FileConstants:
    """The constants of a model file, read one at a time (``inspection.Constants``)."""

    form: Format
    path: Path
    progress: Progress

    def read(self, name: str, most_bytes: int) -> Array:
        """Return the first values of a constant as a flat array.

        Raises:
            UsageError: when the format reads no values, or the constant holds no numbers.
        """
        self.progress.check()
        if not isinstance(self.form, Inspector):
            raise UsageError(f"The format {self.form.title} contains the graph only.")
        return self.form.constant(self.path, name, most_bytes)


def analyze(options: AnalyzeOptions, job: Job) -> AnalysisResult:
    """Apply one analyzer to the main graph of a model."""
    opened = read_model(Path(options.model.path), job, parse(options.shape or ()))
    job.progress(3, 4, "Analyzing the nodes")
    found = analyzed(options.analyzer, opened, opened.sized.graph, job)
    job.progress(4, 4, "Analyzed")
    return AnalysisResult(options.analyzer, found.title, found.unit, found.values)


def analyzed(identifier: str, opened: OpenedModel, graph: Graph, progress: Progress) -> Overlay:
    """Return the numbers of an analyzer for the nodes of a graph of an opened model.

    Raises:
        Unavailable: when no plugin that may be used has this analyzer.
    """
    host = PluginHost.discover()
    analyzer: Analyzer = host.get(Extension.ANALYZER, identifier)
    if isinstance(analyzer, WeightAnalyzer):
        constants = FileConstants(format_for(opened.path, host), opened.path, progress)
        values = analyzer.analyze_weights(graph, constants)
    else:
        values = analyzer.analyze(graph)
    return Overlay(_numbers(values, graph), str(analyzer.title), str(analyzer.unit))


def _numbers(values: Mapping[str, float], graph: Graph) -> dict[str, float]:
    """Return what JSON and a drawing can hold: finite numbers of nodes that exist."""
    names = {node.name for node in graph.nodes}
    numbers = {name: float(value) for name, value in values.items() if name in names}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}
