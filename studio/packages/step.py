"""The steps of packages: a model becomes a bundle, and a bundle is signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.api import Kind, Permission
from studio.documents.dataclass_json import JsonValue
from studio.jobs import Effect, Limits, Step, Use
from studio.jobs.options_form import option
from studio.packages.results import LatencyFile, PackageResult, SignResult
from studio.registry import ModelRef


@dataclass(frozen=True, slots=True)
class SignOptions:
    """Options of the step ``sign``."""

    bundle: Path = option(kind=Kind.FOLDER, positional=True, help="A bundle's folder.")
    key: Path | None = option(
        None,
        kind=Kind.FILE,
        title="SSH key",
        help="The private key, or the .pub file of one that the SSH agent holds.",
    )
    openssf: Path | None = option(
        None,
        kind=Kind.FILE,
        title="OpenSSF key",
        help="A private key on P-256, P-384 or P-521: writes a signature that OpenSSF's "
        "model_signing verifies.",
    )
    out: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="OpenSSF signature",
        help="Where that is written; beside the bundle's folder, as NAME.sig, without it.",
        advanced=True,
    )


SIGN: Step[SignOptions, SignResult] = Step(
    name="sign",
    title="Sign",
    summary="Sign a bundle with an SSH key, as boards may ask for, or for OpenSSF's tools.",
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
    """

    number: BundleNumber
    known: tuple[Path, ...] = ()
    made: tuple[MakingStep, ...] = ()
    latency: LatencyFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageOptions:
    """Options of the step ``package``.

    Attributes:
        numbering: What the registry knows, added before the work starts.
    """

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="What to package.")
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Folder", help="Where a copy of the bundle is put."
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Golden samples",
        help="Data for golden samples. Default: random inputs.",
        project=("calibration",),
    )
    labels: Path | None = option(
        None, kind=Kind.FILE, help="The names of the classes, one a line.", project=("labels",)
    )
    preprocess: Path | None = option(
        None,
        kind=Kind.FILE,
        help="How an image becomes the input (preprocess.toml).",
        project=("preprocess",),
    )
    preprocess_draft: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Write a preprocess.toml",
        help="Where to write a first preprocess.toml with the sizes of the model's own input; the "
        "bundle takes it only when it is given with --preprocess.",
        advanced=True,
    )
    sign: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Sign with",
        help="An SSH key to sign the bundle with; name the .pub file of a key that the agent "
        "holds.",
    )
    samples: int = option(
        8, minimum=1, maximum=256, title="Number of golden samples", advanced=True
    )
    reference: int = option(
        256,
        minimum=0,
        maximum=4096,
        title="Samples for drift",
        help="Samples in the drift reference (at least 64; 0 turns drift detection off).",
        advanced=True,
        spelling="drift_samples",
    )
    embedding: str | None = option(
        None,
        title="Embedding for drift",
        help="Let the model tell the watch, and nobody else, where each request lies along "
        "eight axes of what its last layer sees: auto, or the name of a tensor. Off without.",
        advanced=True,
    )
    tolerance: float | None = option(
        None,
        minimum=0,
        help="Largest difference allowed on a target, relative to the outputs' size; "
        "by default it follows the precision.",
        advanced=True,
    )
    numbering: Numbering | None = None


PACKAGE: Step[PackageOptions, PackageResult] = Step(
    name="package",
    title="Package",
    summary="Make a bundle of a model: its files, golden samples, preprocessing and a manifest.",
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

_FORM = {one.name: one for one in PACKAGE.form}

SIGN_WITH = _FORM["sign"]
PREPROCESS_DRAFT = _FORM["preprocess_draft"]
SHARED = tuple(one for one in PACKAGE.form if one is not PREPROCESS_DRAFT)
"""What a step that packages on its way to something else takes, too."""
