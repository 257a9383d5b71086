"""The TFLite format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy

from studio.api import (
    Array,
    Finding,
    Intake,
    Level,
    Limits,
    Model,
    Progress,
    UsageError,
)
from studio.api.inspection import OperatorDoc
from studio_tflite.graph import Constant, constants, convert
from studio_tflite.structure import IDENTIFIER, Content, load


class TfliteFormat:
    """Reader of TFLite files, which loads weights on request only."""

    id = "tflite"
    title = "TFLite"
    suffixes = (".tflite",)

    def __init__(self) -> None:
        self._limits = Limits()
        self._last: tuple[tuple[str, int, int], Content] | None = None

    def recognises(self, path: Path) -> bool:
        """Return whether the name ends in ``.tflite`` or the file has TFLite's identifier."""
        if path.suffix.lower() in self.suffixes:
            return True
        try:
            with path.open("rb") as file:
                return file.read(8)[4:] == IDENTIFIER
        except OSError:
            return False

    def intake(self, path: Path, limits: Limits) -> Intake:
        """Look at every part but the weights.

        Raises:
            InvalidModel: when it is no TFLite model, or is damaged.
            UnsafeModel: when it is beyond the limits.
        """
        self._limits = limits
        path = path.absolute()
        content = self._load(path)
        convert(content, limits)
        return Intake((path,), tuple(_findings(content)))

    def read(
        self, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> Model:
        """Read the graph with the types that the converter wrote."""
        progress.check()
        return convert(self._load(path.absolute()), self._limits, shapes or {})

    def constant(self, path: Path, name: str, most_bytes: int) -> Array:
        """Return the first values of one constant as they are stored."""
        path = path.absolute()
        content = self._load(path)
        for graph in content.graphs:
            found = constants(content, graph).get(name)
            if found is not None:
                return _values(path, found, most_bytes)
        raise UsageError(f"The model has no constant {name!r}.")

    def documentation(self, operator: str, domain: str, version: int) -> OperatorDoc | None:
        """Return no text: the documentation is not part of the schema."""
        return None

    def _load(self, path: Path) -> Content:
        """Return the structure of the file, cached until another file or state is requested."""
        status = path.stat() if path.exists() else None
        key = (str(path), status.st_mtime_ns, status.st_size) if status else (str(path), 0, 0)
        if self._last is None or self._last[0] != key:
            self._last = (key, load(path, self._limits))
        return self._last[1]


def _values(path: Path, constant: Constant, most_bytes: int) -> Array:
    plain = constant.dtype in _PLAIN
    if not plain and constant.dtype not in ("bfloat16", "int4"):
        raise UsageError(f"The values of {constant.name!r} are of type {constant.dtype}.")
    width = max(constant.bits // 8, 1)
    with path.open("rb") as file:
        file.seek(constant.offset)
        data = file.read(min(constant.size, most_bytes // width * width))
    if plain:
        kind = numpy.dtype(constant.dtype).newbyteorder("<")
        return numpy.frombuffer(data[: len(data) // width * width], kind)
    if constant.dtype == "bfloat16":
        return (numpy.frombuffer(data, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
    packed = numpy.frombuffer(data, numpy.int8)
    halves = numpy.stack([(packed << 4) >> 4, packed >> 4], axis=-1)  # the lower half is first
    return halves.reshape(-1)[: int(numpy.prod(constant.shape, dtype=numpy.int64))]


_PLAIN = frozenset({
    "float64", "float32", "float16", "int64", "int32", "int16", "int8",
    "uint64", "uint32", "uint16", "uint8", "bool",
})  # fmt: skip


def _findings(content: Content) -> Iterator[Finding]:
    if not content.graphs[0].outputs:
        yield Finding(Level.ERROR, "no-output", "The graph has no output.")
    operators = [one for graph in content.graphs for one in graph.operators]
    custom = Counter(one.kind for one in operators if one.is_custom)
    for kind, count in sorted(custom.items()):
        many = f"{count} node{'s' if count > 1 else ''}"
        text = f"{many} of custom operator {kind}: no runtime runs them without its code."
        yield Finding(Level.WARNING, "custom-domain", text)
    unknown = sorted({one.kind for one in operators if one.kind.startswith("OPERATOR_")})
    if unknown:
        text = f"Operators of a newer TFLite that are not known here: {', '.join(unknown[:8])}."
        yield Finding(Level.WARNING, "unknown-operator", text)
