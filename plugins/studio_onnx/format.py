"""The ONNX format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx

from studio.api import Array, Intake, InvalidModel, Limits, Model, Progress
from studio.api.inspection import OperatorDoc
from studio_onnx import external, findings, inspect
from studio_onnx.convert import convert
from studio_onnx.function_expansion import check_unfolded
from studio_onnx.shapes import infer
from studio_onnx.structure import WalkedModel, constants, load


class OnnxFormat:
    """Reader of ONNX files, which loads weights on request only."""

    id = "onnx"
    title = "ONNX"
    suffixes = (".onnx",)

    def __init__(self) -> None:
        self._limits = Limits()
        self._last: tuple[tuple[str, int, int], onnx.ModelProto] | None = None
        self._structure: tuple[onnx.ModelProto, Model, list[str]] | None = None
        self._walked: tuple[onnx.ModelProto, WalkedModel] | None = None

    def recognises(self, path: Path) -> bool:
        """Return whether the name ends in ``.onnx`` or the file starts like an ONNX model."""
        if path.suffix.lower() in self.suffixes:
            return True
        try:
            with path.open("rb") as file:
                start = file.read(3)
        except OSError:
            return False
        # ir_version (field 1), then the producer (2) or the graph (7).
        return len(start) == 3 and start[0] == 0x08 and start[1] < 32 and start[2] in (0x12, 0x3A)

    def structure(self, path: Path, progress: Progress) -> Model:
        """Return the graph as the file holds it, before any check.

        Raises:
            InvalidModel, UnsafeModel: as ``intake`` does, but not all that it looks at.
        """
        proto = self._load(path.absolute())
        progress.check()
        return self._converted(proto)[0]

    def intake(self, path: Path, limits: Limits) -> Intake:
        """Look at sizes, nesting, domains, structure and external files.

        Raises:
            InvalidModel: when the file is not a model, is damaged, or lacks its data.
            UnsafeModel: when it reaches outside its folder or beyond the limits.
        """
        self._limits = limits
        path = path.absolute()
        proto = self._load(path)
        walked = self._walk(proto)
        files = external.check(path, constants(walked))
        try:
            model, moved = self._converted(proto)
            order = findings.Order(moved, model.graph)
        except InvalidModel as error:
            order = findings.Order(refusal=error.message)
        return Intake((path, *files), tuple(findings.find(proto, walked, files, order)))

    def read(
        self, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> Model:
        """Read the graph with all types that shape inference finds.

        Args:
            shapes: Sizes for inputs whose shape is open.
        """
        like = self.structure(path, progress)
        proto = self._load(path.absolute())
        return convert(infer(proto, self._walk(proto), progress, shapes), like)

    def constant(self, path: Path, name: str, most_bytes: int) -> Array:
        """Return the first values of one constant, also of one in external data."""
        return inspect.constant(path, self._load(path.absolute()), name, most_bytes)

    def documentation(self, operator: str, domain: str, version: int) -> OperatorDoc | None:
        """Return the library's documentation of an operator."""
        return inspect.documentation(operator, domain, version)

    def _converted(self, proto: onnx.ModelProto) -> tuple[Model, list[str]]:
        """Return the graph of a file, and the graphs whose nodes were sorted; computed once."""
        if self._structure is None or self._structure[0] is not proto:
            moved: list[str] = []
            self._structure = (proto, convert(proto, reordered=moved), moved)
        return self._structure[1], self._structure[2]

    def _walk(self, proto: onnx.ModelProto) -> WalkedModel:
        """Return all graphs and nodes of a file as lists; computed once."""
        if self._walked is None or self._walked[0] is not proto:
            self._walked = (proto, WalkedModel.through(proto))
        return self._walked[1]

    def _load(self, path: Path) -> onnx.ModelProto:
        """Return the structure of the file, cached until another file or state is requested."""
        status = path.stat() if path.exists() else None
        key = (str(path), status.st_mtime_ns, status.st_size) if status else (str(path), 0, 0)
        if self._last is None or self._last[0] != key:
            model = load(path, self._limits)
            check_unfolded(path.name, model)
            self._last = (key, model)
        return self._last[1]
