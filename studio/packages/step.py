"""The steps of packages: a model becomes a bundle, and a bundle is signed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Kind, Option, Permission
from studio.documents.dataclass_json import JsonValue
from studio.jobs import Effect, Limits, Step, Use
from studio.jobs.options_form import form, option
from studio.lazy_dataclass import dataclass
from studio.packages.results import LatencyFile, PackageResult, SignResult
from studio.registry import ModelRef
from studio.runtime.backends.catalog import BACKENDS
from studio.runtime.shared.cache_types import CACHE_TYPES


@dataclass(frozen=True, slots=True)
class SignOptions:
    """Options of the step ``sign``."""

    bundle: Path = option(kind=Kind.FOLDER, positional=True, help="Bundle folder.")
    key: Path | None = option(
        None,
        kind=Kind.FILE,
        title="SSH key",
        help="Private SSH key, or the .pub file of a key in the SSH agent.",
    )
    openssf: Path | None = option(
        None,
        kind=Kind.FILE,
        title="OpenSSF key",
        help="Private key on P-256, P-384 or P-521 for a signature that OpenSSF "
        "model_signing verifies.",
    )
    out: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="OpenSSF signature",
        help="File for the OpenSSF signature (default: NAME.sig next to the bundle folder).",
        advanced=True,
    )


SIGN: Step[SignOptions, SignResult] = Step(
    name="sign",
    title="Sign",
    summary="Sign a bundle with an SSH key, or for OpenSSF model signing.",
    options=SignOptions,
    result=SignResult,
    work="studio.packages.signing:sign",
    texts="studio.packages.texts:sign",
    needs=frozenset({Permission.HOME, Permission.PROCESSES}),
    limits=Limits(seconds=120),
)


@dataclass(frozen=True, slots=True)
class BundleNumber:
    """The numbers and the date of one bundle."""

    version: int
    counter: int
    created: str


@dataclass(frozen=True, slots=True)
class MakingStep:
    """One of the steps that made a variant.

    Attributes:
        inputs: Digests of its data.
        of: Digest of the model that it was given.
    """

    step: str
    options: Mapping[str, JsonValue]
    inputs: Mapping[str, JsonValue]
    of: str


@dataclass(frozen=True, slots=True)
class Numbering:
    """Registry facts that packaging needs.

    Attributes:
        known: Folders of bundles of the model, among which one with the same content is searched.
        made: Steps that made the variant, the last one first.
        latency: Measurements of profiles that travel with the bundle.
        notice: What users of the release are to know, as ``notice.json`` has it.
        encoder: Folder with the tokenizer of an encoder of texts; None without one.
        reusable: An earlier result, where the inputs have not changed since.
    """

    number: BundleNumber
    known: tuple[Path, ...] = ()
    made: tuple[MakingStep, ...] = ()
    latency: LatencyFile | None = None
    notice: Mapping[str, JsonValue] = field(default_factory=dict)
    encoder: Path | None = None
    reusable: PackageResult | None = None


@dataclass(frozen=True, kw_only=True)
class PackagingOptions:
    """Options of each step that packages a model within it.

    The bases of options have no slots: a class of several of them could not have any.

    Attributes:
        numbering: What the registry knows, added before the work starts.
    """

    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Golden samples",
        help="Data for golden samples. Default: random inputs.",
        project=("calibration",),
    )
    labels: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Class names, one per line.",
        advanced=True,
        project=("labels",),
    )
    preprocess: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Input preprocessing, a preprocess.toml.",
        advanced=True,
        project=("preprocess",),
    )
    outputs: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Output settings",
        help="Meaning of the outputs, an outputs.toml.",
        advanced=True,
        project=("outputs",),
    )
    dictionary: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Characters of a text recogniser, one per line.",
        advanced=True,
        project=("dictionary",),
    )
    app: Path | None = option(
        None,
        kind=Kind.FILE,
        folders=True,
        help="App that runs with the model: its folder, or its app.toml.",
        advanced=True,
    )
    embedding: str | None = option(
        None,
        title="Embedding for drift",
        help="Tensor for embedding drift: auto or a tensor name (default: off). Needs "
        "golden samples. Clients do not receive it.",
        advanced=True,
    )
    backend: str | None = option(
        None,
        kind=Kind.CHOICE,
        choices=tuple(BACKENDS),
        choice_titles=tuple(one.title for one in BACKENDS.values()),
        title="Served by",
        help="Backend that serves the model on targets (default: that of its format). OpenVINO "
        "serves ONNX models, too; its answers are compared with those of ONNX Runtime.",
        advanced=True,
    )
    context: int | None = option(
        None,
        minimum=64,
        maximum=1 << 24,
        title="Context",
        help="Tokens of a prompt with its answer, for a language model (default: 4096, or what "
        "the model was made for).",
        advanced=True,
    )
    slots: int | None = option(
        None,
        minimum=1,
        maximum=64,
        title="Answers at once",
        help="Prompts that a language model answers at the same time (default: 4). Each takes "
        "memory for a whole context.",
        advanced=True,
    )
    cache: str | None = option(
        None,
        kind=Kind.CHOICE,
        choices=CACHE_TYPES,
        title="Cache precision",
        help="Precision of the cache of keys and values of a language model (default: f16).",
        advanced=True,
    )
    queue_tokens: int | None = option(
        None,
        minimum=0,
        maximum=1 << 40,
        title="Waiting tokens",
        help="Tokens of the prompts that wait for a language model, with the answers that they may "
        "get. Further requests get 503 (default: no limit).",
        advanced=True,
    )
    max_total_tokens: int | None = option(
        None,
        minimum=64,
        maximum=1 << 24,
        title="Tokens of a request",
        help="Tokens of one prompt with its answer, for a language model (default: the context).",
        advanced=True,
    )
    guard: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Guard rules",
        help="Rules for the prompts and answers of a language model, a guard.toml (default: none).",
        advanced=True,
    )
    numbering: Numbering | None = None

    def packaging(self, model: ModelRef | None) -> PackageOptions:
        """Return the options of packaging a model within this step."""
        assert model is not None
        taken = GoldenOptions if isinstance(self, GoldenOptions) else PackagingOptions
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(taken)}
        return PackageOptions(model=model, **values)


@dataclass(frozen=True, kw_only=True)
class GoldenOptions(PackagingOptions):
    """Options of what answers are compared with: golden samples, the reference of drift."""

    samples: int = option(
        8, minimum=1, maximum=256, title="Number of golden samples", advanced=True
    )
    drift_samples: int = option(
        256,
        minimum=0,
        maximum=4096,
        title="Samples for drift",
        help="Samples in the drift reference (at least 64; 0 turns drift detection off).",
        advanced=True,
    )
    tolerance: float | None = option(
        None,
        minimum=0,
        help="Maximum error of golden samples on a target, relative to the largest output "
        "(default: from the precision).",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class SubjectOptions:
    """The model to package, and the folder of the bundle."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="Model to package.")
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Folder", help="Folder for a copy of the bundle."
    )


# A dataclass collects its fields from the last base to the first: the order of the form.
@dataclass(frozen=True, kw_only=True)
class PackageOptions(GoldenOptions, SubjectOptions):
    """Options of the step ``package``."""

    preprocess_draft: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Write a preprocess.toml",
        help="File for a draft preprocess.toml with the input sizes of the model. Complete "
        "it, then pass it with --preprocess.",
        advanced=True,
    )
    outputs_draft: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Write an outputs.toml",
        help="File for a draft outputs.toml, recognised from the outputs of the model. Check "
        "it, then pass it with --outputs.",
        advanced=True,
    )
    sign: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Sign with",
        help="SSH key that signs the bundle, or the .pub file of a key in the SSH agent.",
    )


PACKAGE: Step[PackageOptions, PackageResult] = Step(
    name="package",
    title="Package",
    summary="Build a bundle of a model: files, golden samples, preprocessing and manifest.",
    options=PackageOptions,
    result=PackageResult,
    work="studio.packages.work:package",
    prepare="studio.packages.record:prepare",
    record="studio.packages.record:packaged",
    texts="studio.packages.texts:package",
    signing_needs=frozenset({Permission.HOME, Permission.PROCESSES}),
    limits=Limits(seconds=1800),
    effect=Effect.PURE,
    use=Use.SERVE,
)

_FORM = {one.name: one for one in form(PackageOptions)}

MODEL, OUT, SIGN_WITH = _FORM["model"], _FORM["out"], _FORM["sign"]
PREPROCESS_DRAFT, OUTPUTS_DRAFT = _FORM["preprocess_draft"], _FORM["outputs_draft"]
BUNDLE = Option("bundle", Kind.FOLDER, help="Bundle folder, instead of a model.", advanced=True)
