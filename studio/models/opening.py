"""The look at a model file that opening, inspecting, drawing and quantizing share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import (
    Finding,
    Format,
    InvalidModel,
    Level,
    Limits,
    Model,
    Progress,
    Silent,
    StudioError,
)
from studio.api.inspection import Structural
from studio.models.collector import uncollected
from studio.models.cost import overlay
from studio.models.folding import outline
from studio.models.formats import format_for
from studio.models.graphfile import write
from studio.models.layout import lay_out
from studio.models.shapes import complete
from studio.models.summary import summary
from studio.models.walk import parts
from studio.plugin_host import PluginHost

GRAPH_FILE = "graph.json.gz"


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that passed its intake.

    Attributes:
        files: The model's file and those that hold its external data.
        sized: The model with its open sizes fixed, for costs; the same object if none is open.
        assumed: The shapes that were fixed and that nobody gave.
    """

    path: Path
    files: tuple[Path, ...]
    findings: tuple[Finding, ...]
    model: Model
    sized: Model
    assumed: Mapping[str, tuple[int, ...]]

    def figures(self) -> dict[str, Any]:
        """The summary as JSON, with the size of the files and the findings."""
        return {
            **summary(self.model, self.sized, self.assumed),
            "bytes": sum(file.stat().st_size for file in self.files),
            "intake": [
                {"level": finding.level.value, "code": finding.code, "text": finding.text}
                for finding in self.findings
            ],
        }


def look(
    path: Path,
    progress: Progress | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    host: PluginHost | None = None,
    on_structure: Callable[[Model], None] | None = None,
) -> Opened:
    """Take a model in and read its graph.

    Args:
        shapes: Sizes for inputs that leave some open; the others are assumed.
        on_structure: Gets the graph without types before the file has passed its intake, where
            the format can tell so early: something to look at, nothing to rely on.

    Raises:
        InvalidModel: when the file is no model, is damaged, or has a finding of level ERROR.
        UnsafeModel: when it reaches outside its folder or beyond the limits.
    """
    with uncollected():
        return _look(path, progress or Silent(), dict(shapes or {}), host, on_structure)


def _look(
    path: Path,
    progress: Progress,
    given: dict[str, tuple[int, ...]],
    host: PluginHost | None,
    on_structure: Callable[[Model], None] | None,
) -> Opened:
    progress.progress(0, 4, f"Looking at {path.name}")
    known = format_for(path, host or PluginHost.discover())
    if on_structure is not None and isinstance(known, Structural):
        _show_structure(known, path, progress, on_structure)
    intake = known.intake(path, Limits())
    _refuse(intake.findings)
    progress.progress(1, 4, "Reading the graph")
    model = known.read(path, progress)
    fixed = complete(model.graph, given)
    sized = _sized(known, path, progress, fixed) if fixed else model
    assumed = {name: shape for name, shape in fixed.items() if name not in given}
    return Opened(path, intake.files, intake.findings, model, sized, assumed)


def _show_structure(
    known: Structural, path: Path, progress: Progress, show: Callable[[Model], None]
) -> None:
    try:
        structure = known.structure(path, progress)
    except StudioError:
        return  # the intake meets the same, and says it
    show(structure)


def _sized(
    known: Format, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]]
) -> Model:
    progress.progress(2, 4, "Computing shapes")
    return known.read(path, progress, shapes)


def _refuse(findings: Sequence[Finding]) -> None:
    errors = [finding.text for finding in findings if finding.level is Level.ERROR]
    if errors:
        raise InvalidModel(errors[0], detail="\n".join(errors[1:]))


def write_graph(opened: Opened, folder: Path, progress: Progress) -> Path:
    """Lay a model's graph out and write both, with the nodes' work, into the folder."""
    progress.progress(3, 4, "Laying out the graph")
    path = folder / GRAPH_FILE
    with uncollected():
        work = overlay(opened.sized.graph, "macs")
        inner = {name: lay_out(graph) for name, graph in parts(opened.model)}
        graph = opened.model.graph
        write(path, opened.model, lay_out(graph), work, inner, outline(graph))
    return path
