"""A model with an embedding, tried on typical data before anything is packaged."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import Array, Backend, Model
from studio.packages.drift_reference import FEWEST, Frame
from studio.packages.embedding import (
    EmbeddingGraph,
    NoEmbedding,
    axes_of,
    place_of,
    require_same,
    vectors_of,
)
from studio.packages.tensors import write_parts

_NAME = "model.onnx"


def embed(
    backend: Backend,
    path: Path,
    model: Model,
    wanted: str,
    frames: Sequence[Frame],
    folder: Path,
) -> tuple[EmbeddingGraph, list[Frame]]:
    """Fit the axes to typical data, and compare every output with the original model's.

    Args:
        wanted: Name of a tensor, or ``auto``.
        frames: Inputs and outputs of the model as it is.
        folder: For models that are tried; gone afterwards.

    Returns:
        What is added, and the frames with the embedding among their outputs.

    Raises:
        NoEmbedding: when no embedding exists, or the outputs would differ, in one sentence.
    """
    if model.format != "onnx":
        raise NoEmbedding("Only an ONNX model can get one")
    if len(frames) < FEWEST:
        raise NoEmbedding(f"It needs {FEWEST} samples of data or more")
    place = place_of(model, wanted)
    folder.mkdir(parents=True)
    try:
        if not write_parts(path, folder, _NAME):
            raise NoEmbedding("The model cannot be taken apart")
        plain = (folder / _NAME).read_bytes()
        # First the bare tensor, whose values determine the axes.
        found = _run(backend, folder, EmbeddingGraph(place).apply(plain), frames)
        axes, offset = axes_of(
            vectors_of((one, _rows(inputs)) for one, (inputs, _) in zip(found, frames, strict=True))
        )
        graft = EmbeddingGraph(place, axes, offset)
        found = _run(backend, folder, graft.apply(plain), frames)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # The answers to clients must not change.
    for one, (_, before) in zip(found, frames, strict=True):
        require_same(before, one)
    return graft, [(inputs, one) for (inputs, _), one in zip(frames, found, strict=True)]


def _run(
    backend: Backend, folder: Path, content: bytes, frames: Sequence[Frame]
) -> list[dict[str, Array]]:
    path = folder / _NAME
    path.write_bytes(content)
    session = backend.load(path, {"threads": 1})
    try:
        return [session.run(dict(inputs)) for inputs, _ in frames]
    finally:
        session.close()


def _rows(inputs: Mapping[str, Array]) -> int:
    first = next(iter(inputs.values()))
    return len(first) if first.ndim else 1
