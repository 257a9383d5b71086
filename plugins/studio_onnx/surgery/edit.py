"""Base of the edits: reading without weights, writing with the files they need."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from studio.api import Dataset, InvalidModel, Option, Progress, Transformed, UsageError
from studio_onnx.structure import constants


class Edit(ABC):
    """Base of one kind of edit: a transform that needs no data and reads no weights.

    The facts of what it did hold ``equal`` (whether the edited model must give the same numbers),
    ``inputs`` and ``outputs`` (the new name of each that has one), and ``text``.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    options: ClassVar[Sequence[Option]]
    needs_data = False

    @abstractmethod
    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Change the model in place; returns the facts.

        Raises:
            UsageError: when an option does not fit the model.
        """

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        """Write the edited model and the files of its external data.

        Raises:
            UsageError: when an option does not fit the model.
            InvalidModel: when the model cannot be read.
        """
        progress.progress(0, 2, self.title)
        model = read(source)
        facts = self.edit(model, options)
        progress.progress(1, 2, "Writing the model")
        write(model, source.parent, output)
        progress.progress(2, 2, "Written")
        return Transformed(output, "", {"inputs": {}, "outputs": {}, **facts})


def read(path: Path) -> ModelProto:
    """Return the model without its external data."""
    try:
        return onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf and onnx raise many kinds
        raise InvalidModel(f"{path.name} cannot be read.", detail=str(error)) from None


def write(model: ModelProto, folder: Path, output: Path) -> None:
    """Save the model with a copy of each external file that it still needs.

    Args:
        folder: Where those files are now.
    """
    onnx.save(model, str(output))
    for name in sorted({one for tensor in constants(model) if (one := _location(tensor))}):
        place = output.parent / name
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, place)


def _location(tensor: TensorProto) -> str:
    return next((one.value for one in tensor.external_data if one.key == "location"), "")


def graphs(graph: GraphProto) -> Iterable[GraphProto]:
    """Yield the graph and every block below it."""
    yield graph
    for node in graph.node:
        for block in blocks(node):
            yield from graphs(block)


def blocks(node: NodeProto) -> Iterable[GraphProto]:
    """Yield the blocks of a node."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def reads(node: NodeProto) -> set[str]:
    """Return every value that a node or its blocks take from around it."""
    names = set(node.input)
    for block in blocks(node):
        own = {value.name for value in block.input}
        own |= {tensor.name for tensor in block.initializer}
        own |= {name for inner in block.node for name in inner.output}
        inside = {name for inner in block.node for name in reads(inner)}
        names |= (inside | {value.name for value in block.output}) - own
    return names - {""}


def value_names(graph: GraphProto) -> set[str]:
    """Return every value of the graph itself: inputs, constants, results of nodes."""
    names = {value.name for value in graph.input} | {one.name for one in graph.initializer}
    return names | {name for node in graph.node for name in node.output if name}


def unknown(name: str, what: str, known: Iterable[str]) -> UsageError:
    """Return the error for an unknown name, with the most similar ones."""
    names = sorted(known)
    close = get_close_matches(name, names, 3, 0.5) or names[:3]
    return UsageError(f"The model has no {what} {name!r}.", hint=f"Nearest: {', '.join(close)}.")
