"""A virtual environment of a plugin's own, and what its capabilities may do with it.

A plugin whose libraries are heavy, or do not go together with the studio's, declares it in its
manifest::

    [environment]
    requirements = "requirements.lock"   # beside plugin.toml: names, versions, hashes, no host
    python = ">=3.10,<3.14"
    imports = ["openvino"]               # what must be importable afterwards
    megabytes = 300                      # on the disk
    licences = "OpenVINO: Apache-2.0"
    terms = "Name's own licence"         # only where the user has to accept it

    [[environment.npm]]                  # files of a package of npm, for browsers
    name = "onnxruntime-web"
    version = "1.30.0"
    integrity = "sha512-..."
    files = ["dist/ort.wasm.min.mjs"]    # in share/npm/NAME of the environment; nothing else is

and gives ``environment = true`` to those capabilities whose factory takes a ``Toolchain``. The
user makes the environment with a button or ``studio backends install``; no code of it is ever
imported by the studio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from studio.api.errors import InvalidModel
from studio.api.options import Option
from studio.api.ports import Converted, InputSpec, Session
from studio.api.progress import Progress
from studio.lazy_dataclass import dataclass

_SAMPLES = "samples.npz"
_KNOWLEDGE = ("labels", "preprocess", "metadata")
_MOST_LABELS = 100_000
_LONGEST_LABEL = 1000
_MOST_ENTRIES = 64
_LONGEST_KEY = 100
_LONGEST_TEXT = 10_000
_MOST_NUMBERS = 16


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """Files of a package of npm that an environment needs.

    Attributes:
        integrity: SHA-512 of its archive, as npm writes it.
        files: Paths in the package; nothing else of it is unpacked, and no script of it runs.
    """

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnvironmentNeed:
    """What a manifest's ``[environment]`` says.

    Attributes:
        requirements: Name of the plugin's file with every distribution, pinned and hashed.
        python: Versions of the interpreter that will do, as a PEP 440 specifier.
        imports: Modules that must be importable before the environment counts as installed.
        megabytes: Room that it takes on the disk, roughly.
        licences: What is installed under which terms, for the person who decides.
        terms: What this person has to accept before anything is installed; empty for nothing.
        npm: Packages of npm, in ``share/npm`` of the environment.
    """

    requirements: str
    python: str = ">=3.8"
    imports: tuple[str, ...] = ()
    megabytes: int = 0
    licences: str = ""
    terms: str = ""
    npm: tuple[NpmPackage, ...] = ()


class Toolchain(Protocol):
    """The environment of a capability's plugin, whether it is there yet or not.

    What runs in it is a process of its own: without a network where the worker has none, with
    no home, ended with its parent, and with standard output kept from its own chatter.
    """

    @property
    def python(self) -> Path:
        """Its interpreter.

        Raises:
            Unavailable: when it is not installed, broken or outdated, with the reason and the
                command that mends it.
        """

    def version(self, distribution: str) -> str:
        """The installed version of a distribution; raises as ``python`` does."""

    def run(
        self, tool: Path, request: Mapping[str, Any], folder: Path, progress: Progress
    ) -> Mapping[str, Any]:
        """Run a tool to its end.

        Args:
            tool: A self-contained file with ``run(request, progress)``, which returns a JSON
                object; ``progress(done, total, text)`` tells how far it is.
            request: A JSON object; arrays travel as files.
            folder: The one place that it should write to; also its home and temporary folder.

        Raises:
            StudioError: when the tool raises, crashes or says nothing for too long, in one
                sentence.
            Cancelled: when the work was cancelled; the process is gone by then.
        """

    def load(self, runner: Path, model: Path, options: Mapping[str, object]) -> Session:
        """A model loaded by a runner of the bench, in a process of this environment.

        Raises:
            InvalidModel: when the runner refuses the model.
        """


class ToolchainBackend:
    """A backend whose runner works in the environment of its plugin.

    A plugin derives its own from this one and gives it ``id``, ``title``, ``options``, ``runner``
    and ``distribution``, the package whose version is the runtime's.
    """

    id = ""
    title = ""
    distribution = ""
    options: Sequence[Option] = ()
    runner = Path()

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain

    @property
    def python(self) -> str:
        """The interpreter that the bench starts the runner with; raises as the toolchain does."""
        return str(self._toolchain.python)

    def version(self) -> str:
        """Version of the runtime; Unavailable where its environment is not installed."""
        return self._toolchain.version(self.distribution)

    def load(self, path: Path, options: Mapping[str, object]) -> Session:
        """Load a model in a process of the environment."""
        return self._toolchain.load(self.runner, path, options)


class TextToolchain:
    """A backend of language models that works in the environment of its plugin.

    A plugin derives its own class. Its ``id`` is that of the text backend in the runtime, whose
    code loads and runs the models. ``distribution`` is the package whose version is the backend's.
    """

    id: str = ""
    title: str = ""
    distribution: str = ""

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain

    @property
    def python(self) -> str:
        """The interpreter for processes that load models; raises as the toolchain does."""
        return str(self._toolchain.python)

    def version(self) -> str:
        """Version of the backend; Unavailable where its environment is not installed."""
        return self._toolchain.version(self.distribution)


class ToolchainConverter:
    """A converter whose tool works in the environment of its plugin.

    A plugin derives its own class. It sets ``id``, ``title`` and ``sources``. ``distribution`` is
    the package whose version is the framework's, ``tool`` a file as ``studio.api.toolchains``
    describes. Its ``run`` gets the key ``work``:

    * ``convert`` with ``source``, ``output``, ``inputs`` (``shape``, ``dtype`` and ``dynamic``
      by name) and ``settings`` (see ``Converter``); it returns ``{"warnings": [sentence, ...]}``,
      and ``ranges`` where made-up samples need them. With ``{"samples": true}`` it has written
      its own requests as ``samples.npz``. ``labels`` (a list of texts), ``preprocess`` (an object
      of settings) and ``metadata`` (an object of texts) are what the source knows of itself.
    * ``answer`` with ``source`` (the model to run), ``samples`` and ``answers``; it returns ``{}``.
      With ``values`` (see ``Converter.answer``) it returns ``{"places": {name: place}}``; ``made``
      is true for a model that was made of the ONNX model.

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
        settings: Mapping[str, object] | None = None,
    ) -> Converted:
        """Convert by the tool."""
        request = {
            "work": "convert",
            "source": str(source),
            "output": str(output),
            "inputs": {name: _as_json(spec) for name, spec in inputs.items()},
            "settings": dict(settings or {}),
        }
        found = self._run(request, folder, progress)
        warnings = tuple(str(text) for text in found.get("warnings", ()))
        samples = folder / _SAMPLES if found.get("samples") else None
        framework = f"{self.title} {self.version()}"
        labels, preprocess, metadata = map(found.get, _KNOWLEDGE)
        return Converted(
            framework,
            warnings,
            found.get("ranges") or {},
            samples,
            labels=_labels(labels),
            preprocess=_preprocess(preprocess),
            metadata=_metadata(metadata),
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
        """Run a model by the tool; it returns the places of the values that the model has."""
        request: dict[str, object] = {
            "work": "answer",
            "source": str(model),
            "samples": str(samples),
            "answers": str(answers),
        }
        if values:
            request["values"] = list(values)
            request["made"] = "onnx" in self.sources
        places = self._run(request, folder, progress).get("places")
        return places if isinstance(places, dict) else {}

    def _run(
        self, request: Mapping[str, object], folder: Path, progress: Progress
    ) -> Mapping[str, Any]:
        found = self._toolchain.run(self.tool, request, folder, progress)
        if error := found.get("error"):
            raise InvalidModel(str(error))
        return found


def _as_json(spec: InputSpec) -> dict[str, object]:
    return {
        "shape": None if spec.shape is None else list(spec.shape),
        "dtype": spec.dtype,
        "dynamic": {str(axis): name for axis, name in spec.dynamic.items()},
    }


# What follows checks values of a process that has read a file of a stranger.


def _labels(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else None if value else []
    good = found is not None and all(_is_text(one, _LONGEST_LABEL) for one in found)
    if not good or len(found or ()) > _MOST_LABELS:
        raise InvalidModel("The converter's labels are no list of short texts.")
    return tuple(found or ())


def _preprocess(value: object) -> Mapping[str, object]:
    found = _entries(value)
    if found is None or not all(map(_is_setting, found.values())):
        raise InvalidModel("The converter's settings of pictures are not valid.")
    return found


def _metadata(value: object) -> Mapping[str, str]:
    found = _entries(value)
    if found is None or not all(_is_text(one, _LONGEST_TEXT) for one in found.values()):
        raise InvalidModel("The converter's metadata is no object of texts.")
    return {name: str(text) for name, text in found.items()}


def _entries(value: object) -> Mapping[str, object] | None:
    found = value if isinstance(value, Mapping) else None if value else {}
    if found is None or len(found) > _MOST_ENTRIES:
        return None
    return found if all(_is_text(name, _LONGEST_KEY) for name in found) else None


def _is_setting(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_NUMBERS and all(isinstance(one, int | float) for one in value)
    return isinstance(value, int | float) or _is_text(value, _LONGEST_KEY)


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest
