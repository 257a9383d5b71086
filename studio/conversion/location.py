"""The place where a converted model begins to differ: values of both models, side by side."""

from __future__ import annotations

import inspect
import math
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy

from studio.api import Array, Cancelled, Extension, Feeds, Graph, Progress, Silent
from studio.conversion.bisection import Bisection
from studio.conversion.comparison import ForeignModel
from studio.conversion.errors import relative_error
from studio.conversion.results import ConversionCheck, FirstDifference
from studio.lazy_dataclass import dataclass
from studio.models.backends import backend_for
from studio.models.opening import OpenedModel
from studio.models.walk import is_constant
from studio.plugin_host import PluginHost

_FORMAT = "onnx"
_UNKNOWN_BYTES = 1 << 20
"""Size of a value whose shape is not known."""

_LONGEST_PLACE = 120
"""Signs of a place, which comes from the process that read the model."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A comparison with a difference that is to be located.

    Attributes:
        foreign: The model of the other framework.
        feeds: The request with the largest error.
        converted_from: Whether the ONNX model was made of it, else it was made of ONNX.
    """

    check: ConversionCheck
    foreign: ForeignModel
    feeds: Feeds
    converted_from: bool


def located(
    found: Mismatch, opened: OpenedModel, host: PluginHost, folder: Path, job: Progress
) -> ConversionCheck:
    """Return the check with the first value that differs, where it can be found.

    Args:
        folder: For temporary files.

    Raises:
        Cancelled: when the work was cancelled; nothing else, for the check is made already.
    """
    job.progress(0, 0, "Locating the difference")
    scratch = folder / "difference"
    try:
        scratch.mkdir()
        first = _first(found, opened, host, scratch, job)
    except Cancelled:
        raise
    except Exception as error:  # of a framework that has compared outputs alone so far
        job.log(f"The first value that differs was not located: {error}")
        return found.check
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return replace(found.check, first=first)


def sentence(check: ConversionCheck) -> str:
    """Return what is known of the first difference, after a space; empty if nothing is."""
    first = check.first
    if first is None:
        return ""
    place = f"; it comes from {first.source}" if first.source else ""
    return (
        f" The first value that differs is {first.value!r} ({first.operator}), by "
        f"{first.error:.2g} of its largest value{place}."
    )


def _first(
    found: Mismatch, opened: OpenedModel, host: PluginHost, folder: Path, job: Progress
) -> FirstDifference | None:
    limit = found.check.limit
    graph = opened.model.graph
    places = _places(found.foreign, _names(graph), folder, job)
    if limit is None or not places:
        return None
    values = _Values(found, opened, host, folder, job)
    sizes = opened.sized.graph
    search = Bisection(
        graph, found.check.output, places.keys(), limit, lambda name: bytes_of(sizes, name)
    )
    first = search.run(values.errors)
    if first is None:
        return None
    name, error = first
    node = next(node for node in graph.nodes if name in node.outputs)
    return FirstDifference(name, node.operator, error, places.get(name, ""), node.name)


def _names(graph: Graph) -> list[str]:
    nodes = (node for node in graph.nodes if not is_constant(node))
    return [name for node in nodes for name in node.outputs if name]


def _places(
    foreign: ForeignModel, names: Sequence[str], folder: Path, job: Progress
) -> dict[str, str]:
    """Return the values that the foreign model has, with their places in the source."""
    # Plugins of an earlier time have no such parameter.
    if "values" not in inspect.signature(foreign.converter.answer).parameters:
        return {}
    found = foreign.places(names, folder, job)
    return {name: _one_line(found[name]) for name in names if name in found}


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:_LONGEST_PLACE]


def bytes_of(graph: Graph, name: str) -> int:
    """Return the size of a value; a guess where its shape is not known."""
    kind = graph.type_of(name)
    sizes = kind.shape if kind is not None else None
    if sizes is None or not all(isinstance(size, int) for size in sizes):
        return _UNKNOWN_BYTES
    return 8 * math.prod(size for size in sizes if isinstance(size, int))


class _Values:
    """Intermediate values of both models, for one request.

    The ONNX model is cut behind the values, so that they are its outputs. Its external data is
    copied once.
    """

    def __init__(
        self,
        found: Mismatch,
        opened: OpenedModel,
        host: PluginHost,
        folder: Path,
        job: Progress,
    ) -> None:
        self._found, self._path, self._host, self._job = found, opened.path, host, job
        self._cut = folder / "cut"
        self._cut.mkdir()
        self._folder = folder
        self._outputs = [value.name for value in opened.model.graph.outputs]

    def errors(self, names: Sequence[str]) -> dict[str, float]:
        """Return the errors of values; those of another shape are others by the same name."""
        self._job.check()
        foreign = self._found.foreign
        with foreign.values(self._found.feeds, names, self._outputs, self._folder, self._job) as (
            theirs
        ):
            wanted = [name for name in names if name in theirs]
            ours = self._ours(wanted)
            return {
                name: error
                for name in wanted
                if (error := self._error(ours[name], theirs[name])) is not None
            }

    def _error(self, ours: Array, theirs: Array) -> float | None:
        one, other = numpy.asarray(ours), numpy.asarray(theirs)
        if one.shape != other.shape:
            return None
        pair = (one, other) if self._found.converted_from else (other, one)
        return relative_error(*pair)

    def _ours(self, names: Sequence[str]) -> Mapping[str, Array]:
        extract = self._host.get(Extension.TRANSFORM, "extract")
        path = self._cut / "values.onnx"
        extract.apply(self._path, path, {"end": list(names)}, None, Silent())
        self._job.check()
        with closing(backend_for(_FORMAT, self._host).load(path, {"threads": 1})) as session:
            feeds = {name: self._found.feeds[name] for name in session.input_names}
            return session.run(feeds)
