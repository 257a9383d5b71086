"""Compilers and simulators of accelerators.

A plugin names them in its manifest::

    [[compilers]]
    id = "ethos-u"
    title = "Arm Vela"
    formats = ["tflite"]
    environment = true
    factory = "studio_ethos_u.compiler:EthosU"

Which chips there are, and the settings that a compiler gets for each, is data of the studio:
``resources/chips``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from studio.api.errors import InvalidModel, Unavailable
from studio.api.progress import Progress
from studio.api.toolchains import Toolchain
from studio.lazy_dataclass import dataclass

HOW = ("compiled", "emulated", "simulated", "rules")
"""Bases of a verdict, the strongest first."""

_MOST_NODES = 500_000
_MOST_FIGURES = 64
_LARGEST = 1e30
_LONGEST_NAME = 1000
_LONGEST_TEXT = 2000
_NEEDED = frozenset({"name", "operator", "on_chip"})
_TEXTS = ("reason", "remedy", "preset")
_OPTIONAL = frozenset({*_TEXTS, "edits", "keep_float"})


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node of a model as its compiler places it.

    Attributes:
        name: As in the model's graph.
        on_chip: Whether the accelerator computes it; the processor next to it does otherwise.
        reason: Why the accelerator does not, in the compiler's words.
        remedy: A change that would bring it onto the chip, a sentence; empty if none is known.
        preset: Name of the preset of that change, for the float model.
        edits: Edits of that change, as ``studio edit`` takes them.
        keep_float: Whether it may run on the chip where quantization leaves it in float.
    """

    name: str
    operator: str
    on_chip: bool
    reason: str = ""
    remedy: str = ""
    preset: str = ""
    edits: tuple[str, ...] = ()
    keep_float: bool = False


class RefusedModel(InvalidModel):
    """A model that a compiler refuses until it is edited.

    Attributes:
        edits: As ``studio edit`` takes them.
    """

    def __init__(self, message: str, *, edits: Sequence[str]) -> None:
        super().__init__(message)
        self.edits = tuple(edits)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A model that was compiled for one chip.

    Attributes:
        toolchain: Name and version.
        nodes: Those that the compiler names: all, or the refused ones alone. Without any, all run
            on the chip.
        estimate: Its own figures, such as ``latency_ms`` and ``sram_bytes``; not measured.
        artefact: The file or folder for the device; None where the compiler writes none.
        warnings: What the user should know, a sentence each.
        how: One of ``HOW``, where it is not that of the compiler: a parser alone has ``rules``.
        edits: Edits of the model that the warnings propose, as ``studio edit`` takes them.
        samples: New folder in the artefact, where the studio writes the first samples with the
            outputs of the given model: ``0.npz`` and ``0.expected.npz`` (``"0"`` is the first
            output), and so on. ``samples.json`` has their number (``samples``) and the largest
            relative error that the chip may have (``max_error``). None: no samples.
    """

    toolchain: str
    nodes: tuple[PlacedNode, ...]
    estimate: Mapping[str, float] = field(default_factory=dict)
    artefact: Path | None = None
    warnings: tuple[str, ...] = ()
    how: str = ""
    edits: tuple[str, ...] = ()
    samples: Path | None = None


class ChipCompiler(Protocol):
    """A compiler of models for the chips of a family. Runs in a sandboxed worker.

    Attributes:
        how: One of ``HOW``.
    """

    id: str
    title: str
    how: str

    def version(self) -> str:
        """Return the version of the toolchain; raise Unavailable where it is not installed."""

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        """Compile a model for one chip.

        Args:
            output: Where the artefact may be written, without a suffix.
            settings: Those of the chip in ``resources/chips``.
            inputs: Their sizes, also where the model leaves some open.
            folder: For temporary files.

        Raises:
            InvalidModel: when the compiler refuses the whole model, with its reason.
        """

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str]:
        """Run a model as the chip would, as ``Converter.answer`` does.

        A slow emulator may leave out the last samples, but not the first.

        Raises:
            Unavailable: where nothing here computes as the chip does.
        """


class ToolchainCompiler:
    """A compiler whose tool works in the environment of its plugin.

    A plugin derives its own class and sets ``id``, ``title``, ``distribution``, ``tool``, ``how``
    and ``runs`` (whether it computes as the chip does). The tool is a file as
    ``studio.api.toolchains`` describes. Its ``run`` gets the key ``work``:

    * ``compile`` with ``source``, ``output``, ``settings`` and ``inputs`` (sizes by name). It
      returns ``nodes``, ``estimate`` (numbers by name), ``artefact`` (the file or folder that it
      wrote next to ``output``), ``warnings`` and ``edits``. A node has the keys of
      ``PlacedNode``. In a folder, ``samples`` names the new one for samples (see ``Compiled``).
    * ``answer`` as converters get it, with the ``settings`` of the chip that was compiled for last,
      where it ``runs``. It may leave out the last samples.

    Where the model is at fault, it returns ``{"error": sentence}`` instead, and ``edits`` if these
    would help.
    """

    id = ""
    title = ""
    distribution = ""
    how = HOW[0]
    runs = True
    tool = Path()

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain
        self._settings: Mapping[str, object] = {}

    def version(self) -> str:
        """Return the version of the toolchain; raise Unavailable without the environment."""
        return self._toolchain.version(self.distribution)

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        """Compile by the tool; what runs later runs as on the same chip."""
        self._settings = dict(settings)
        request = {
            "work": "compile",
            "source": str(model),
            "output": str(output),
            "settings": self._settings,
            "inputs": {name: list(sizes) for name, sizes in inputs.items()},
        }
        found = self._run(request, folder, progress)
        artefact = _artefact(found.get("artefact"), output.parent)
        return Compiled(
            f"{self.title} {self.version()}",
            _nodes(found.get("nodes")),
            _estimate(found.get("estimate")),
            artefact,
            _texts(found.get("warnings")),
            how=next((one for one in HOW if one == found.get("how")), self.how),
            edits=_texts(found.get("edits")),
            samples=_samples(found.get("samples"), artefact),
        )

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str]:
        """Run a model by the tool; it knows no inner values.

        Raises:
            Unavailable: where it does not run models.
        """
        if not self.runs:
            raise Unavailable(f"{self.title} compiles, and nothing here runs its code.")
        request: dict[str, object] = {
            "work": "answer",
            "source": str(model),
            "settings": self._settings,
            "samples": str(samples),
            "answers": str(answers),
        }
        self._run(request, folder, progress)
        return {}

    def _run(
        self, request: Mapping[str, object], folder: Path, progress: Progress
    ) -> Mapping[str, Any]:
        found = self._toolchain.run(self.tool, request, folder, progress)
        if error := found.get("error"):
            raise RefusedModel(str(error), edits=_texts(found.get("edits")))
        return found


# What follows checks values of a process that has read a file of a stranger.


def _nodes(value: object) -> tuple[PlacedNode, ...]:
    rows = _rows(value, _MOST_NODES)
    if rows is None or not all(isinstance(row, dict) and _is_node(row) for row in rows):
        raise InvalidModel("The compiler's list of nodes is not valid.")
    return tuple(PlacedNode(**{**row, "edits": _texts(row.get("edits"))}) for row in rows)


def _is_node(row: Mapping[str, object]) -> bool:
    texts = [row.get(name, "") for name in _TEXTS]
    return (
        _NEEDED <= set(row) <= _NEEDED | _OPTIONAL
        and _is_text(row["name"], _LONGEST_NAME)
        and _is_text(row["operator"], _LONGEST_NAME)
        and isinstance(row["on_chip"], bool)
        and isinstance(row.get("keep_float", False), bool)
        and all(_is_text(text, _LONGEST_TEXT) for text in texts)
    )


def _estimate(value: object) -> Mapping[str, float]:
    found = value if isinstance(value, Mapping) else {}
    good = all(
        _is_text(name, _LONGEST_NAME) and isinstance(one, int | float) and abs(one) <= _LARGEST
        for name, one in found.items()
    )
    if not good or len(found) > _MOST_FIGURES:
        raise InvalidModel("The compiler's figures are not valid.")
    return {name: float(one) for name, one in found.items()}


def _artefact(value: object, folder: Path) -> Path | None:
    """Return the file or folder that the tool names; one outside its folder is refused."""
    if not value:
        return None
    path = folder / str(value)
    parts = path.rglob("*") if path.is_dir() else ()
    if path.parent != folder or any(not _is_plain(one) for one in (path, *parts)):
        raise InvalidModel("The compiler's output is not where it should be.")
    return path


def _samples(value: object, artefact: Path | None) -> Path | None:
    """Return the folder for samples, which must be a new one in the artefact."""
    if not value or artefact is None:
        return None
    path = artefact / str(value)
    if path.parent != artefact or not artefact.is_dir() or os.path.lexists(path):
        raise InvalidModel("The compiler's folder for samples is no new one in its output.")
    return path


def _is_plain(path: Path) -> bool:
    return not path.is_symlink() and (path.is_file() or path.is_dir())


def _texts(value: object) -> tuple[str, ...]:
    rows = _rows(value, _MOST_FIGURES)
    if rows is None or not all(_is_text(one, _LONGEST_TEXT) for one in rows):
        raise InvalidModel("The compiler's warnings and edits are no short texts.")
    return tuple(map(str, rows))


def _rows(value: object, most: int) -> Sequence[Any] | None:
    rows: Iterable[Any] | None = value if isinstance(value, list) else None if value else []
    found = None if rows is None else list(rows)
    return found if found is not None and len(found) <= most else None


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest
