"""The work of the steps open, inspect and graph, in a worker."""

from __future__ import annotations

import hashlib
import os
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

from studio.api import Graph, Model
from studio.jobs.step import Job
from studio.models.blocks import folded, folds, outline
from studio.models.graphfile import write
from studio.models.kinds import entry_file
from studio.models.layout import lay_out
from studio.models.layout.graph_writer import GraphWriter
from studio.models.opening import OpenedModel, read_model
from studio.models.results import ModelFigures, OpenResult
from studio.models.shapes import parse
from studio.models.step import (
    DRAWN,
    PREVIEW,
    InspectOptions,
    OpenOptions,
)
from studio.registry import component, component_of
from studio.registry.names import LONGEST_NAME
from studio.settings import full_path

_NICE = 10
_LARGEST_COPY = 2 * 2**30
_CHUNK = 4 * 2**20


def open_model(options: OpenOptions, job: Job) -> OpenResult:
    """Look at a model, lay its graph out, and copy its files into ``model/``.

    Models of more than 2 GiB stay where they are.
    """
    path = entry_file(options.model)
    if options.name:
        component(options.name, "A model")
    writer = GraphWriter(job.folder)
    opened = read_model(
        path,
        job,
        parse(options.shape or ()),
        on_structure=partial(_preview, job),
        on_intake=partial(_drawn, job, writer),
    )
    figures = opened.figures()
    writer.finish(opened, job)
    copied = figures.bytes <= _LARGEST_COPY
    if copied:
        _copy(opened, job)
    else:
        job.log("The model is larger than 2 GB. It stays in its folder and must not be moved.")
    job.progress(4, 4, "Opened")
    return OpenResult(
        **{field.name: getattr(figures, field.name) for field in fields(figures)},
        source=str(path),
        name=options.name or component_of(_name(path, options.model), LONGEST_NAME),
        copied=copied,
        digest_in_place="" if copied else _digest_in_place(opened),
    )


def _step_back() -> None:
    """Leave the processor to the window, which draws what this process has found so far."""
    if hasattr(os, "nice"):  # POSIX
        os.nice(_NICE)


def _preview(job: Job, model: Model) -> None:
    """Report where the outermost blocks of a large model can be viewed already."""
    path = write_preview(model, job.folder)
    if path is not None:
        job.event(PREVIEW, path=str(path))


def _drawn(job: Job, writer: GraphWriter, model: Model) -> None:
    """Report where all nodes of a large model can be viewed, without their types."""
    if len(model.graph.nodes) >= SHOWN_FROM:
        job.progress(2, 4, "Laying out the graph")
        job.event(DRAWN, path=str(writer.draw(model)))
        _step_back()


def inspect_model(options: InspectOptions, job: Job) -> ModelFigures:
    """Look at a model and keep nothing."""
    opened = read_model(options.model, job, parse(options.shape or ()))
    job.progress(4, 4, "Inspected")
    return opened.figures()


def _name(path: Path, given: Path) -> str:
    """Return the file's name, or its folder's where every export has the same file name."""
    if given != path:
        return full_path(given).name
    common = path.stem.lower() in ("model", "inference", "model_quantized")
    return full_path(path).parent.name if common and full_path(path).parent.name else path.stem


def _digest_in_place(opened: OpenedModel) -> str:
    """Return a digest of a model that is too large to be read whole.

    SHA-256 of the model's file, and of path, size and time of the files that hold its weights.
    """
    digest = hashlib.sha256()
    with opened.files[0].open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    for file_path in opened.files[1:]:
        status = file_path.stat()
        digest.update(f"{file_path}\n{status.st_size}\n{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _copy(opened: OpenedModel, job: Job) -> None:
    """Copy the files into ``model/``, external data under its name next to the model."""
    folder = opened.files[0].parent
    for file in opened.files:
        place = job.folder / "model" / file.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as reader, place.open("wb") as writer:
            while chunk := reader.read(_CHUNK):
                job.check()
                writer.write(chunk)


PREVIEW_FILE = "preview.json.gz"

SHOWN_FROM = 2_000
"""Nodes from which on there is a preview: a smaller model is opened as quickly without one."""


def write_preview(model: Model, folder: Path) -> Path | None:
    """Write the outermost blocks of a graph with their layout; None where they are no help.

    Args:
        model: Its types need not be known.
    """
    graph = model.graph
    if len(graph.nodes) < SHOWN_FROM:
        return None
    members = outline(graph, deep=False)
    if not folds(graph, members):
        return None
    outermost = folded(graph, members)
    path = folder / PREVIEW_FILE
    shown = replace(model, graph=_emptied(outermost), functions={})
    write(path, shown, lay_out(outermost))
    return path


def _emptied(graph: Graph) -> Graph:
    """Return the boxes alone, without contents, constants, and inner types."""
    nodes = tuple(replace(node, blocks={}) if node.blocks else node for node in graph.nodes)
    return replace(graph, nodes=nodes, initializers={}, values={})
