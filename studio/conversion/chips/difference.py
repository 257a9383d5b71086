"""The first value of a model that a chip computes differently: both run the model cut behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from studio.api import (
    Array,
    Cancelled,
    ChipCompiler,
    Extension,
    Feeds,
    Graph,
    InvalidModel,
    Progress,
    Session,
    Silent,
)
from studio.conversion.bisection import Bisection
from studio.conversion.comparison import ForeignModel
from studio.conversion.errors import relative_error
from studio.conversion.location import bytes_of
from studio.conversion.results import FirstDifference
from studio.models.backends import backend_for
from studio.models.opening import OpenedModel
from studio.models.walk import is_constant
from studio.plugin_host import PluginHost

_ONNX = "onnx"
_RESTORED = "DequantizeLinear"

_MOST = 16
"""Most values of one run: each is one more output of what is compiled."""

Reference = Callable[[Path, Feeds, Session], Mapping[str, Array]]
"""Runs a model on one sample; the session is of the same model on this computer."""

_SHARE = 0.5
"""Part of the error of the output from which a value differs, too: chips round at each layer."""


class ChipDifference:
    """The search for the value where the outputs of a chip begin to differ.

    Args:
        opened: The ONNX model that was compiled.
        folder: A new one for temporary files.
        reference: Runs a model that is cut on the other side; by default this computer does.
    """

    def __init__(
        self,
        opened: OpenedModel,
        compiler: ChipCompiler,
        host: PluginHost,
        folder: Path,
        job: Progress,
        reference: Reference | None = None,
    ) -> None:
        self._reference = reference
        self._opened, self._compiler, self._host = opened, compiler, host
        self._folder, self._job = folder, job

    def first(self, feeds: Feeds, output: str, error: float) -> FirstDifference | None:
        """Return the first value with at least half of the error of an output; None without one.

        Args:
            feeds: The sample with the largest error.

        Raises:
            InvalidModel, Unavailable: when the model that is cut cannot be run.
        """
        graph, sizes = self._opened.model.graph, self._opened.sized.graph
        self._job.progress(0, 0, "Locating the difference")
        self._folder.mkdir()
        search = Bisection(
            graph,
            output,
            _values(graph),
            error * _SHARE,
            lambda name: bytes_of(sizes, name),
            _MOST,
        )
        found = search.run(lambda names: self._errors(feeds, names))
        if found is None:
            return None
        name, largest = found
        node = next(node for node in graph.nodes if name in node.outputs)
        return FirstDifference(name, node.operator, largest, node=node.name)

    def _errors(self, feeds: Feeds, names: Sequence[str]) -> Mapping[str, float]:
        """Return the errors of values.

        Not every compiler takes a model of which values are outputs that are read, too.
        """
        try:
            return self._together(feeds, names)
        except InvalidModel:
            if len(names) == 1:
                return {}
        return {key: one for name in names for key, one in self._errors(feeds, [name]).items()}

    def _together(self, feeds: Feeds, names: Sequence[str]) -> Mapping[str, float]:
        """Return the errors of values; those of another shape are others by the same name."""
        self._job.check()
        path = self._folder / "values.onnx"
        extract = self._host.get(Extension.TRANSFORM, "extract")
        extract.apply(self._opened.path, path, {"end": list(names)}, None, Silent())
        with closing(backend_for(_ONNX, self._host).load(path, {"threads": 1})) as session:
            given = {name: feeds[name] for name in session.input_names}
            ours = self._other_side(path, given, session)
            theirs = self._on_chip(path, given, session.output_names)
        return {
            name: relative_error(theirs[name], ours[name])
            for name in names
            if name in theirs and theirs[name].shape == ours[name].shape
        }

    def _other_side(self, path: Path, feeds: Feeds, session: Session) -> Mapping[str, Array]:
        return self._reference(path, feeds, session) if self._reference else session.run(feeds)

    def _on_chip(self, path: Path, feeds: Feeds, names: Sequence[str]) -> Mapping[str, Array]:
        cut = ForeignModel(self._compiler, path, self._compiler.title, slow=True)
        return next(iter(cut.answers([feeds], names, self._folder, self._job)))


def located(
    search: ChipDifference, feeds: Feeds, output: str, error: float, job: Progress
) -> tuple[FirstDifference | None, str]:
    """Return the first value that differs, or a warning with the reason against it.

    Raises:
        Cancelled: when the work was cancelled; nothing else, for the verdict is known already.
    """
    try:
        found = search.first(feeds, output, error)
    except Cancelled:
        raise
    except Exception as problem:  # of a compiler that has taken the whole model so far
        job.log(f"The first value that differs was not located: {problem!r}")
        return None, f"The first value that differs was not located: {problem}"
    return found, "" if found else "No value inside of the model differs as its output does."


def _values(graph: Graph) -> list[str]:
    """Return the values to compare: of a quantized model those that are rounded.

    The others exist in ONNX Runtime alone, as a compiler makes one node of a layer and its steps.
    An input that is only rounded is no value of the chip's.
    """
    nodes = [node for node in graph.nodes if not is_constant(node)]
    made = {name: node for node in nodes for name in node.outputs if name}
    restored = [
        name
        for node in nodes
        if node.operator == _RESTORED and (rounded := made.get(node.inputs[0])) is not None
        if rounded.inputs[0] in made
        for name in node.outputs
    ]
    return restored or list(made)
