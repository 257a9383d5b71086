"""The extension points, a Protocol each. Pause before changing one: third parties implement them.

A factory named in ``plugin.toml`` returns an object that satisfies the Protocol of its table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from studio.api.data import Array, Dataset, Feeds, Truth
from studio.api.graph import Graph, Model
from studio.api.intake import Finding, Limits
from studio.api.options import Option
from studio.api.platforms import Parcel
from studio.api.progress import Progress
from studio.api.registries import RegistrySession
from studio.api.targets import Channel, TargetSpec
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Intake:
    """The first look at a file, before it is parsed whole.

    Attributes:
        files: Files that make up the model (the model itself first), absolute.
        findings: What was noticed; one with level ERROR refuses the model.
    """

    files: tuple[Path, ...]
    findings: tuple[Finding, ...] = ()


class Format(Protocol):
    """A model format. Runs in a sandboxed worker."""

    id: str
    title: str
    suffixes: tuple[str, ...]

    def recognises(self, path: Path) -> bool:
        """Whether the file looks like this format, from its first bytes or its name."""

    def intake(self, path: Path, limits: Limits) -> Intake:
        """Look at sizes, domains and external files without trusting any of them.

        Raises:
            InvalidModel: when the file is not of this format, or is damaged.
            UnsafeModel: when it reaches outside its folder or beyond the limits.
        """

    def read(
        self, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> Model:
        """Read the graph (not the weights) of a file that passed its intake.

        Args:
            shapes: Sizes for inputs whose shape is open, to infer the shapes behind them.
        """


class Analyzer(Protocol):
    """Numbers for the nodes of a graph, painted on it and listed beside it."""

    id: str
    title: str
    unit: str

    def analyze(self, graph: Graph) -> Mapping[str, float]:
        """One number for each node that has one, by node name."""


@dataclass(frozen=True, slots=True)
class Transformed:
    """What a transform did.

    Attributes:
        precision: ``int8``, ``fp16`` ... as shown on the variant's chip.
        facts: Figures for the report (nodes quantized, nodes kept, why).
        layers: What became of each layer, for a table and for drawings: ``name``, ``operator``,
            ``precision``, ``why`` it stays in float; ``weights`` and ``activations`` where they
            are known, each with ``low``, ``high``, ``counts`` in equal bins between them, and the
            ``range`` (two numbers, or None) that the levels span.
    """

    path: Path
    precision: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    layers: Sequence[Mapping[str, Any]] = ()


class Transform(Protocol):
    """A model in, another model out. Quantizers are transforms. Runs in a sandboxed worker."""

    id: str
    title: str
    options: Sequence[Option]
    needs_data: bool

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, object],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        """Write the transformed model to ``output``.

        Raises:
            InvalidData: when the samples do not fit the model's inputs.
            StudioError: when the model cannot be transformed, in one sentence.
        """


class Session(Protocol):
    """A model loaded by a backend."""

    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Run once; the arrays of the named outputs (all when None)."""

    def close(self) -> None:
        """Free the model."""


class Backend(Protocol):
    """A runtime that executes models.

    Attributes:
        runner: The self-contained file (Python 3.8, numpy and the runtime alone) that the bench
            takes along to wherever it measures; see ``studio.runtime.bench`` for its functions.

    One whose runtime lives in an environment of its own (``api.toolchains.ToolchainBackend``) has
    the attribute ``python`` too, the interpreter that the runner is started with.
    """

    id: str
    title: str
    options: Sequence[Option]
    runner: Path

    def version(self) -> str:
        """Version of the runtime that would be used here.

        Raises:
            Unavailable: with the reason and the install line.
        """

    def load(self, path: Path, options: Mapping[str, object]) -> Session:
        """Load a model in this process (which is a worker)."""


class Packager(Protocol):
    """Turns a bundle into something else that can be shipped (an image, a Debian package).

    Runs in a worker with network and home.
    """

    id: str
    title: str
    options: Sequence[Option]

    def build(
        self, parcel: Parcel, output: Path, options: Mapping[str, object], progress: Progress
    ) -> Mapping[str, Any]:
        """Build it into a folder and say what was made.

        Returns:
            At least ``image`` (a name) or ``path`` (a file below ``output``), and ``bytes``.
        """


class Connector(Protocol):
    """A kind of target that is a machine: it runs commands, takes files and forwards ports.

    Attributes:
        schemes: The URL schemes it answers for.
    """

    id: str
    title: str
    schemes: tuple[str, ...]
    options: Sequence[Option]

    def connect(self, target: TargetSpec, progress: Progress) -> Channel:
        """Open a channel.

        Raises:
            UnknownHost: at first contact, with the key to be confirmed.
            ChangedHost: when the key is not the confirmed one, with both fingerprints.
            TargetError: when it does not answer or refuses the login.
        """

    def default_root(self, target: TargetSpec) -> str:
        """Folder for the releases; a leading ``~`` is the login's home."""


class Monitor(Protocol):
    """Somewhere that measurements are sent to (Prometheus, a log)."""

    id: str
    title: str
    options: Sequence[Option]

    def export(
        self, measurements: Iterable[Mapping[str, Any]], options: Mapping[str, object]
    ) -> None:
        """Send them."""


class ModelRegistry(Protocol):
    """A kind of registry outside the studio (MLflow) that versions are pushed to and pulled from.

    Attributes:
        schemes: The URL schemes of its addresses.
        options: Of a push.
    """

    id: str
    title: str
    schemes: tuple[str, ...]
    options: Sequence[Option]

    def open(self, address: str, progress: Progress) -> RegistrySession:
        """Make ready to talk to a registry.

        Args:
            address: A URL; empty for the one that the registry's own configuration names.

        Raises:
            UsageError: when the address cannot be one, or none is configured.
        """


class Metric(Protocol):
    """A task's quality, from outputs and labels.

    One with ``reference = True`` compares with another model, whose outputs are its labels.
    """

    id: str
    title: str
    unit: str
    higher_is_better: bool
    options: Sequence[Option]

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, object],
    ) -> float:
        """The score over all samples.

        Args:
            outputs: What the model gave for each sample, by output; computed while it is read,
                so that memory holds one sample's outputs at a time, and read only once.

        Raises:
            InvalidData: when labels and outputs cannot be compared.
        """


class SampleMetric(Metric, Protocol):
    """A metric that also judges each sample, so that lost and gained ones can be named."""

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, object],
    ) -> Iterator[float]:
        """How right each answer is, at most 1; 1 is right.

        Raises:
            InvalidData: as ``score`` does.
        """


class Check(Protocol):
    """A rule that a model or a bundle must pass before it may be deployed."""

    id: str
    title: str

    def check(self, model: Model, facts: Mapping[str, Any]) -> Sequence[Finding]:
        """What was found; an ERROR stops the deploy."""


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
        ranges: The lowest and the highest values of made-up samples, broadcast to the input.
        samples: An ``.npz`` of requests for the comparison, below the folder of the conversion,
            where random values make no sense; None without one.
        labels: Names of the classes in their order, where the source has them.
        preprocess: Settings of pictures that the source has, as in ``docs/preprocessing.md``.
        metadata: ``license``, ``author``, ``description``, ``version``, for the ONNX file.
    """

    framework: str
    warnings: Sequence[str] = ()
    ranges: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    samples: Path | None = None
    labels: Sequence[str] = ()
    preprocess: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


class Converter(Protocol):
    """A reader of models of another framework (``sources``), or a writer of them from ONNX."""

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
        settings: Mapping[str, object] | None = None,
    ) -> Converted:
        """Write the model in another form, with the names of inputs and outputs that it has.

        Args:
            source: The file or folder.
            output: The file to write; weights beyond 2 GB go into a file next to it.
            inputs: What the user wants of inputs, by name (``*`` for the only one).
            folder: An empty folder for temporary files.
            settings: Of a writer: ``precision`` (an export's, ``fp16`` or ``int8-io``),
                ``calibration`` (a folder like ``samples`` of ``answer``), facts of `Converted`.

        Raises:
            InvalidModel: when it cannot be converted, with the operator at fault if there is one.
            UsageError: for an input that the model does not have.
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
    ) -> Mapping[str, str] | None:
        """Run a model of the framework on samples: the source of a reader, what a writer wrote.

        Args:
            samples: ``.npz`` files, one a request, with each input under its ONNX name.
            answers: For an ``.npz`` of the same name for each request, with each output under its
                number among the ONNX model's (``"0"``).
            folder: An empty folder for temporary files.
            values: Names of values of the ONNX model. Those that this model has are added to
                each file under their number (``"value/0"``). A converter may lack the parameter.

        Returns:
            The values that the model has, each with its place in the source (``net.py:41``, a
            layer, or empty), also without samples.

        Raises:
            InvalidModel: when the model does not run on them.
            Unavailable: when the framework does not run on this system.
        """
