"""The look at a model file that opening, inspecting, drawing and quantizing share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import cast

from studio.api import (
    Extension,
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
from studio.lazy_dataclass import dataclass
from studio.models.collector import uncollected
from studio.models.kinds import companions, entry_file, with_facts
from studio.models.results import IntakeFinding, ModelFigures
from studio.models.shapes import complete
from studio.models.source_formats import source_format
from studio.models.summary import summary
from studio.plugin_host import PluginHost

_CONVERT = "Convert it: studio convert FILE{} --out model.onnx, or drop it onto the window."
_ONNX = "onnx"
_CONSENT = " --run-code"


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """Model that passed its safety check.

    Attributes:
        files: The model's file and those that hold its external data.
        sized: The model with its open sizes fixed, for costs; the same object if none is open.
        assumed: The shapes that were assumed, because the user gave none.
    """

    path: Path
    files: tuple[Path, ...]
    findings: tuple[Finding, ...]
    model: Model
    sized: Model
    assumed: Mapping[str, tuple[int, ...]]

    def figures(self) -> ModelFigures:
        """Return the summary, with the size of the files and the findings."""
        about = summary(self.model, self.sized, self.assumed)
        return ModelFigures(
            **{field.name: getattr(about, field.name) for field in fields(about)},
            bytes=sum(file.stat().st_size for file in self.files),
            intake=tuple(
                IntakeFinding(finding.level.value, finding.code, finding.text)
                for finding in self.findings
            ),
        )


def read_model(
    path: Path,
    progress: Progress | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    host: PluginHost | None = None,
    on_structure: Callable[[Model], None] | None = None,
    on_intake: Callable[[Model], None] | None = None,
) -> OpenedModel:
    """Take a model in and read its graph.

    Args:
        shapes: Sizes for inputs that leave some open; the others are assumed.
        on_structure: Gets the graph without types before the file has passed its intake, where
            the format can tell so early: something to look at, nothing to rely on.
        on_intake: Gets the same when the file has passed, before its types are inferred.

    Raises:
        InvalidModel: when the file is no model, is damaged, or has a finding of level ERROR.
        UnsafeModel: when it reaches outside its folder or beyond the limits.
    """
    with uncollected():
        return _read(path, progress or Silent(), dict(shapes or {}), host, on_structure, on_intake)


def _read(
    path: Path,
    progress: Progress,
    given: dict[str, tuple[int, ...]],
    host: PluginHost | None,
    on_structure: Callable[[Model], None] | None,
    on_intake: Callable[[Model], None] | None,
) -> OpenedModel:
    path = entry_file(path)
    progress.progress(0, 4, f"Looking at {path.name}")
    known = format_for(path, host or PluginHost.discover())
    if on_structure is not None and isinstance(known, Structural):
        _show_structure(known, path, progress, on_structure)
    intake = known.intake(path, Limits())
    refuse_errors(intake.findings)
    progress.progress(1, 4, "Reading the graph")
    if on_intake is not None and isinstance(known, Structural):
        on_intake(known.structure(path, progress))
    model = with_facts(known.read(path, progress), path)
    fixed = complete(model.graph, given, model.language)
    sized = _sized(known, path, progress, fixed) if fixed else model
    assumed = {name: shape for name, shape in fixed.items() if name not in given}
    files = tuple(dict.fromkeys((*intake.files, *companions(path))))
    return OpenedModel(path, files, intake.findings, model, sized, assumed)


def format_for(path: Path, host: PluginHost) -> Format:
    """Return the format that recognises a file.

    Raises:
        InvalidModel: when there is no such file, or no format knows it.
    """
    if not path.exists():
        raise InvalidModel(
            f"No such file: {path.name}.",
            hint="Open the model again, or restore the file from a backup.",
            detail=str(path),
        )
    capabilities = host.all(Extension.FORMAT)
    for capability in capabilities:
        known = cast(Format, host.create(capability))
        if known.recognises(path):
            return known
    if (source := source_format(path)) is not None:
        known_converter = any(
            source.id in one.sources and _ONNX in one.targets
            for one in host.all(Extension.CONVERTER)
        )
        raise InvalidModel(
            f"{path.name} is {source.title}. It can be opened once it is ONNX.",
            hint=_CONVERT.format(_CONSENT * source.runs_code) if known_converter else source.remedy,
        )
    names = sorted((one.title for one in capabilities), key=lambda title: title != "ONNX")
    titles = ", ".join(names) or "none"
    known_titles = f"Known formats: {titles}."
    if path.is_dir():
        raise InvalidModel(
            f"{path.name} is a folder without a model in a known format.", hint=known_titles
        )
    raise InvalidModel(
        f"{path.name} is not a model in a known format.",
        hint=f"{known_titles} Use the Netron panel in the window to view other formats.",
    )


def _show_structure(
    known: Structural, path: Path, progress: Progress, show: Callable[[Model], None]
) -> None:
    try:
        structure = known.structure(path, progress)
    except StudioError:
        return  # the safety check fails for the same reason and reports it
    show(structure)


def _sized(
    known: Format, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]]
) -> Model:
    progress.progress(2, 4, "Computing shapes")
    return known.read(path, progress, shapes)


def refuse_errors(findings: Sequence[Finding]) -> None:
    """Raise InvalidModel when a safety check has found errors."""
    errors = [finding.text for finding in findings if finding.level is Level.ERROR]
    if errors:
        raise InvalidModel(errors[0], detail="\n".join(errors[1:]))
