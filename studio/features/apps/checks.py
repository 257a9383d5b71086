"""Check of an app without running it: graph, files, and what may not be meant."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import InvalidData
from studio.datasets.output_settings import read_outputs
from studio.documents.dataclass_json import to_json
from studio.features.apps.files import AppFiles, ModelParts
from studio.features.apps.results import AppCheck, AppModel, AppPart
from studio.runtime.apps.graph import AppGraph, AppSource, Sink, Step
from studio.runtime.apps.items import EVENTS, PICTURES, TRACKS
from studio.runtime.apps.steps.objects import DETECTORS, DetectSettings

_NETWORKED = ("rtsp", "mjpeg", "snapshot", "mqtt", "webhook")
"""Types of sources and sinks that reach other machines."""
_STILLS = ("folder", "snapshot")


def check_of(files: AppFiles, variables: Mapping[str, str]) -> AppCheck:
    """Return the app as it would run.

    Raises:
        InvalidData: in one sentence, for what cannot run.
    """
    graph, document = files.graph(variables), files.document
    models = files.models()
    own = tuple(dict.fromkeys(graph.own_code.values()))
    for name in own:
        files.path(name, "steps")
    _check_detectors(graph, models)
    return AppCheck(
        name=document.name,
        title=document.title,
        folder=str(files.folder),
        parts=_parts(graph),
        order=tuple(step.name for step in graph.steps),
        models=tuple(_model(files, one) for one in models.values()),
        variables={**document.variables, **variables},
        requirements=graph.requirements,
        own_steps=own,
        warnings=tuple(_warnings(graph, models)),
        digest=files.digest,
        code_digest=files.code_digest(graph) if own else "",
        networked=tuple(networked(graph, deliver=False)),
    )


def _check_detectors(graph: AppGraph, models: Mapping[str, ModelParts]) -> None:
    """Refuse a detector whose outputs no file explains, as a run would."""
    for step in graph.steps:
        if not isinstance(step.settings, DetectSettings):
            continue
        parts = models.get(step.settings.model)
        if parts is None:
            continue  # a deployment names it
        if parts.outputs is None:
            what = "has no outputs.toml"
        elif read_outputs(parts.outputs).task not in DETECTORS:
            what = "is no detector by its outputs.toml"
        else:
            continue
        raise InvalidData(
            f"steps.{step.name}: the model {step.settings.model} {what}.",
            hint="Put outputs.toml next to the model: see docs/apps.md.",
        )


def networked(graph: AppGraph, deliver: bool) -> list[str]:
    """Return the parts of a run that need the network.

    Args:
        deliver: Whether the sinks are at work, too.
    """
    parts: tuple[AppSource | Sink, ...] = graph.sources
    if deliver:
        parts = (*parts, *graph.receivers)
    return [one.name for one in parts if one.type.name in _NETWORKED]


def _parts(graph: AppGraph) -> tuple[AppPart, ...]:
    written = {
        part.name: part.settings
        for part in (*graph.document.sources, *graph.document.steps, *graph.document.sinks)
    }
    found = [_part(one, "source", one.type.gives, {}, written) for one in graph.sources]
    for step in graph.steps:
        inputs = {one.part: one.kind for one in step.inputs}
        found.append(_part(step, "step", step.gives, inputs, written))
    found += [
        _part(one, "sink", "", dict.fromkeys(one.inputs, _taken(one)), written)
        for one in graph.sinks
    ]
    return tuple(found)


def _taken(sink: Sink) -> str:
    return PICTURES if sink.type.takes_pictures else EVENTS


def _part(
    part: AppSource | Step | Sink,
    group: str,
    gives: str,
    inputs: Mapping[str, str],
    written: Mapping[str, Mapping[str, object]],
) -> AppPart:
    kind = part.type
    settings = to_json(dict(written[part.name]))
    names, kinds = tuple(inputs), tuple(inputs.values())
    return AppPart(part.name, group, kind.name, kind.summary, gives, names, settings, kinds)


def _model(files: AppFiles, parts: ModelParts) -> AppModel:
    task = "" if parts.outputs is None else read_outputs(parts.outputs).task
    file = parts.model.relative_to(files.folder.resolve()).as_posix()
    return AppModel(parts.name, file, task, parts.preprocess is not None)


def _warnings(graph: AppGraph, models: Mapping[str, ModelParts]) -> list[str]:
    """Return what runs, but with answers that may mean nothing."""
    found = []
    stills = {one.name for one in graph.sources if one.type.name in _STILLS}
    for step in graph.steps:
        if step.gives == TRACKS and step.type.name == "track" and stills & step.sources:
            names = ", ".join(sorted(stills & step.sources))
            found.append(f"{step.name} follows objects through single pictures of {names}.")
    used = {getattr(step.settings, "model", "") for step in graph.steps}
    found += [f"The model {name} is not used." for name in models if name not in used]
    if not graph.receivers:
        found.append("The app has no sink: its events stay on the board.")
    shown = [one.name for one in graph.sinks if one.type.takes_pictures]
    if shown and not graph.document.preview.allowed:
        found.append(f"{shown[0]} shows nothing: [preview] allowed is false.")
    return found
