"""The OpenVINO IR format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import (
    Array,
    Finding,
    Intake,
    InvalidModel,
    Level,
    Limits,
    Model,
    Progress,
    Silent,
    UsageError,
)
from studio.api.inspection import OperatorDoc
from studio_openvino import weights
from studio_openvino.graph import convert, find_constant
from studio_openvino.ir import load, nets
from studio_openvino.ir_types import Net
from studio_openvino.sizes import resize

_START = 4096
_STANDARD = "opset"


class OpenvinoFormat:
    """Reader of OpenVINO IR, which loads weights on request only."""

    id = "openvino"
    title = "OpenVINO IR"
    suffixes = (".xml",)

    def __init__(self) -> None:
        self._limits = Limits()
        self._last: tuple[tuple[str, int, int], Net] | None = None

    def recognises(self, path: Path) -> bool:
        """Return whether an XML file begins like an IR, or the file is the weights of one."""
        if path.suffix.lower() == ".bin":
            return path.with_suffix(".xml").is_file()
        if path.suffix.lower() not in self.suffixes:
            return False
        try:
            with path.open("rb") as file:
                return b"<net" in file.read(_START)
        except OSError:
            return False

    def intake(self, path: Path, limits: Limits) -> Intake:
        """Look at the XML and at the places of the constants.

        Raises:
            InvalidModel: when it is no IR, is damaged, or its weights are missing.
            UnsafeModel: when it reaches outside its folder or beyond the limits.
        """
        self._limits = limits
        path = path.absolute()
        if path.suffix.lower() == ".bin":
            named = path.with_suffix(".xml").name
            raise InvalidModel(
                f"{path.name} holds only the weights of {named}.", hint=f"Open {named} instead."
            )
        net = self._load(path, Silent())
        file = weights.check(path, net)
        files = (path, file) if file else (path,)
        return Intake(files, tuple(_findings(net, file)))

    def read(
        self, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> Model:
        """Read the graph with the types that the converter wrote.

        Args:
            shapes: Sizes for inputs whose shape is open; what follows from them is computed.
        """
        path = path.absolute()
        model = convert(self._load(path, progress), weights.weights_file(path).name)
        return replace(model, graph=resize(model.graph, shapes)) if shapes else model

    def constant(self, path: Path, name: str, most_bytes: int) -> Array:
        """Return the first values of one constant."""
        path = path.absolute()
        net = self._load(path, Silent())
        weights.check(path, net)
        found = find_constant(net, name)
        if found is None:
            raise UsageError(f"The model has no constant {name!r}.")
        return weights.values(path, found, most_bytes)

    def documentation(self, operator: str, domain: str, version: int) -> OperatorDoc | None:
        """Return no text: the documentation is not part of a file."""
        return None

    def _load(self, path: Path, progress: Progress) -> Net:
        """Return the net of the file, cached until another file or state is requested."""
        status = path.stat() if path.exists() else None
        key = (str(path), status.st_mtime_ns, status.st_size) if status else (str(path), 0, 0)
        if self._last is None or self._last[0] != key:
            self._last = (key, load(path, self._limits, progress))
        return self._last[1]


def _findings(net: Net, file: Path | None) -> Iterator[Finding]:
    if file is not None:
        size = file.stat().st_size
        yield Finding(Level.INFO, "external-data", f"Weights are in {file.name} ({size:,} bytes).")
    if not any(layer.kind == "Result" for layer in net.layers):
        yield Finding(Level.ERROR, "no-output", "The graph has no output.")
    own = sorted({
        layer.version
        for part in nets(net)
        for layer in part.layers
        if layer.version and not layer.version.startswith(_STANDARD)
    })  # fmt: skip
    for version in own:
        text = f"Operators of {version} are not in OpenVINO's operator sets."
        yield Finding(Level.WARNING, "custom-domain", text)
