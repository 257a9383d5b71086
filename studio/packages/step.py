"""The step of packages: a model becomes a bundle."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Effect, Limits, Result, Step, Use

SIGN_WITH = Option(
    "sign",
    Kind.FILE,
    title="Sign with",
    help="An SSH key to sign the bundle with; name the .pub file of a key that the agent holds.",
)

PREPROCESS_DRAFT = Option(
    "preprocess_draft",
    Kind.OUTPUT,
    title="Write a preprocess.toml",
    help="Where to write a first preprocess.toml with the sizes of the model's own input; the "
    "bundle takes it only when it is given with --preprocess.",
    advanced=True,
)

SIGN: Step[Arguments, Result] = Step(
    name="sign",
    title="Sign",
    summary="Sign a bundle with an SSH key, as boards may ask for, or for OpenSSF's tools.",
    options=(
        Option("bundle", Kind.FOLDER, positional=True, required=True, help="A bundle's folder."),
        Option(
            "key",
            Kind.FILE,
            title="SSH key",
            help="The private key, or the .pub file of one that the SSH agent holds.",
        ),
        Option(
            "openssf",
            Kind.FILE,
            title="OpenSSF key",
            help="A private key on P-256, P-384 or P-521: writes a signature that OpenSSF's "
            "model_signing verifies.",
        ),
        Option(
            "out",
            Kind.OUTPUT,
            title="OpenSSF signature",
            help="Where that is written; beside the bundle's folder, as NAME.sig, without it.",
            advanced=True,
        ),
    ),
    work="studio.packages.signing:sign",
    needs=frozenset({Permission.HOME, Permission.PROCESSES}),
    limits=Limits(seconds=120),
)

PACKAGE: Step[Arguments, Result] = Step(
    name="package",
    title="Package",
    summary="Make a bundle of a model: its files, golden samples, preprocessing and a manifest.",
    options=(
        Option("model", Kind.MODEL, positional=True, required=True, help="What to package."),
        Option("out", Kind.OUTPUT, title="Folder", help="Where a copy of the bundle is put."),
        Option(
            "data",
            Kind.DATA,
            title="Golden samples",
            help="Data for golden samples. Default: random inputs.",
        ),
        Option("labels", Kind.FILE, help="The names of the classes, one a line."),
        Option("preprocess", Kind.FILE, help="How an image becomes the input (preprocess.toml)."),
        PREPROCESS_DRAFT,
        SIGN_WITH,
        Option(
            "samples",
            Kind.INTEGER,
            default=8,
            minimum=1,
            maximum=256,
            title="Number of golden samples",
            advanced=True,
        ),
        Option(
            "reference",
            Kind.INTEGER,
            default=256,
            minimum=0,
            maximum=4096,
            title="Samples for drift",
            help="Samples in the drift reference (at least 64; 0 turns drift detection off).",
            advanced=True,
            spelling="drift_samples",
        ),
        Option(
            "embedding",
            title="Embedding for drift",
            help="Let the model tell the watch, and nobody else, where each request lies along "
            "eight axes of what its last layer sees: auto, or the name of a tensor. Off without.",
            advanced=True,
        ),
        Option(
            "tolerance",
            Kind.NUMBER,
            minimum=0,
            help="Largest difference allowed on a target, relative to the outputs' size; "
            "by default it follows the precision.",
            advanced=True,
        ),
    ),
    work="studio.packages.work:package",
    prepare="studio.packages.record:prepare",
    record="studio.packages.record:packaged",
    signing_needs=frozenset({Permission.HOME, Permission.PROCESSES}),
    limits=Limits(seconds=1800),
    effect=Effect.PURE,
    use=Use.SERVE,
)

SHARED = tuple(option for option in PACKAGE.form if option is not PREPROCESS_DRAFT)
"""What a step that packages on its way to something else takes, too."""
