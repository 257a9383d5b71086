"""Converters: a model of another framework in, a model that the studio opens out.

A plugin declares one in its manifest, with the forms that it reads::

    [[converters]]
    id = "pytorch-export"
    title = "PyTorch"
    sources = ["pytorch-export", "torchscript"]   # keys of resources/source_formats.toml
    environment = true
    factory = "studio_pytorch.convert:PyTorchConverter"

A source is never trusted: the studio calls a converter in a sandboxed worker, and a converter
with an environment of its own runs its tool in a process of that environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from studio.api.errors import InvalidModel
from studio.api.progress import Progress
from studio.api.toolchains import Toolchain


@dataclass(frozen=True, slots=True)
class InputSpec:
    """An input as the user wants it.

    Attributes:
        shape: Its sizes; None keeps those of the source.
        dtype: Its type, such as ``int64``; empty keeps that of the source, or float32.
        dynamic: Names of the axes that stay open, by their number.
    """

    shape: tuple[int, ...] | None = None
    dtype: str = ""
    dynamic: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Converted:
    """The report of a conversion.

    Attributes:
        framework: Name and version of what the source was read with.
        warnings: What the user should know of the result, a sentence each.
    """

    framework: str
    warnings: Sequence[str] = ()


class Converter(Protocol):
    """A reader of models of another framework.

    Attributes:
        sources: The forms that it reads, as in the manifest.
    """

    id: str
    title: str
    sources: tuple[str, ...]

    def version(self) -> str:
        """Version of the framework.

        Raises:
            Unavailable: when its environment is not installed, with the install command.
        """

    def convert(
        self,
        source: Path,
        output: Path,
        inputs: Mapping[str, InputSpec],
        folder: Path,
        progress: Progress,
    ) -> Converted:
        """Write the model as ONNX, with the names of inputs and outputs that the source has.

        Args:
            source: The file or folder.
            output: The file to write; weights beyond 2 GB go into a file next to it.
            inputs: What the user wants of inputs, by name (``*`` for the only one); the others
                stay as they are.
            folder: An empty folder for temporary files.

        Raises:
            InvalidModel: when the source cannot be read or converted, in one sentence that
                names the operator at fault where there is one.
            UsageError: for an input that the model does not have.
        """

    def answer(
        self, source: Path, samples: Path, answers: Path, folder: Path, progress: Progress
    ) -> None:
        """Run the source in its own framework on samples.

        Args:
            samples: A folder of ``.npz`` files, one a request, with an array for each input
                under the name that it has in the converted model.
            answers: A folder for the outputs: an ``.npz`` of the same name for each request, with
                an array for each output under its number among the converted model's (``"0"``).
            folder: An empty folder for temporary files.

        Raises:
            InvalidModel: when the source does not run on them.
        """


class ToolchainConverter:
    """A converter whose tool works in the environment of its plugin.

    A plugin derives its own from this one and gives it ``id``, ``title``, ``sources``,
    ``distribution`` (the package whose version is the framework's) and ``tool``, a file as
    ``studio.api.toolchains`` describes. Its ``run`` gets the key ``work``:

    * ``convert`` with ``source``, ``output`` and ``inputs`` (``shape``, ``dtype`` and ``dynamic``
      by name); it returns ``{"warnings": [sentence, ...]}``.
    * ``answer`` with ``source``, ``samples`` and ``answers``; it returns ``{}``.

    Where the source is at fault, it returns ``{"error": sentence}`` instead.
    """

    id = ""
    title = ""
    sources: tuple[str, ...] = ()
    distribution = ""
    tool = Path()

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain

    def version(self) -> str:
        """Return the framework's version; raise Unavailable without the environment."""
        return self._toolchain.version(self.distribution)

    def convert(
        self,
        source: Path,
        output: Path,
        inputs: Mapping[str, InputSpec],
        folder: Path,
        progress: Progress,
    ) -> Converted:
        """Convert by the tool."""
        request = {
            "work": "convert",
            "source": str(source),
            "output": str(output),
            "inputs": {name: _as_json(spec) for name, spec in inputs.items()},
        }
        found = self._run(request, folder, progress)
        warnings = tuple(str(text) for text in found.get("warnings", ()))
        return Converted(f"{self.title} {self.version()}", warnings)

    def answer(
        self, source: Path, samples: Path, answers: Path, folder: Path, progress: Progress
    ) -> None:
        """Run the source by the tool."""
        request = {
            "work": "answer",
            "source": str(source),
            "samples": str(samples),
            "answers": str(answers),
        }
        self._run(request, folder, progress)

    def _run(
        self, request: Mapping[str, Any], folder: Path, progress: Progress
    ) -> Mapping[str, Any]:
        found = self._toolchain.run(self.tool, request, folder, progress)
        if found.get("error"):
            raise InvalidModel(str(found["error"]))
        return found


def _as_json(spec: InputSpec) -> dict[str, Any]:
    return {
        "shape": None if spec.shape is None else list(spec.shape),
        "dtype": spec.dtype,
        "dynamic": {str(axis): name for axis, name in spec.dynamic.items()},
    }
