"""The step that sets the project of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from studio.api import Kind
from studio.jobs import Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.projects.results import TASKS, Project
from studio.registry import ModelRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions:
    """Options of the step ``project-set``; what is not given stays as it is."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    task: str | None = option(None, help=f"What the model does: {', '.join(TASKS)}.")
    metric: str | None = option(None, help="Evaluation metric.")
    preprocess: Path | None = option(
        None, kind=Kind.FILE, help="Input preprocessing, a preprocess.toml."
    )
    outputs: Path | None = option(
        None, kind=Kind.FILE, help="Meaning of the outputs, an outputs.toml."
    )
    calibration: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Calibration data",
        help="Representative samples for quantization.",
    )
    evaluation: Path | None = option(
        None, kind=Kind.DATA, title="Evaluation data", help="Labelled samples for the metric."
    )
    heldout: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Held-out data",
        help="Labelled samples for the final metric, not used by any search.",
    )
    labels: Path | None = option(None, kind=Kind.FILE, help="Class names, one per line.")
    label_map: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Classes of the model for labels of the data that are other numbers or names.",
    )
    dictionary: Path | None = option(
        None, kind=Kind.FILE, help="Characters of a text recogniser, one per line."
    )
    groups: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Groups of samples",
        help="CSV file with the groups of each labelled sample: sample,script,blur in its first "
        "line.",
    )
    targets: tuple[str, ...] | None = option(
        None, title="Targets of interest", help="Target names."
    )
    float_nodes: tuple[str, ...] | None = option(
        None,
        title="Nodes kept in float",
        help="Names of nodes that quantization keeps in float.",
    )
    clear: (
        tuple[
            Literal[
                "task",
                "metric",
                "preprocess",
                "outputs",
                "calibration",
                "evaluation",
                "heldout",
                "labels",
                "label_map",
                "dictionary",
                "groups",
                "targets",
                "float_nodes",
            ],
            ...,
        ]
        | None
    ) = option(None, help="Fields to remove, so that they are detected again.")


PROJECT_SET: Step[ProjectOptions, Project] = Step(
    name="project-set",
    title="Set the project of",
    summary="Set task, data, labels and preprocessing of a model, for every page and command.",
    options=ProjectOptions,
    result=Project,
    record="studio.projects.record:keep",
    texts="studio.projects.texts:project",
    use=Use.READ,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOptions:
    """Options of the step ``project-draft``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="A model that takes pictures.")


@dataclass(frozen=True, slots=True)
class DraftResult:
    """The first ``preprocess.toml`` of a model."""

    path: str
    text: str


PROJECT_DRAFT: Step[DraftOptions, DraftResult] = Step(
    name="project-draft",
    title="Write a preprocess.toml for",
    summary="Write a first preprocess.toml next to the model, with the sizes of its input.",
    options=DraftOptions,
    result=DraftResult,
    record="studio.projects.record:draft",
    texts="studio.projects.texts:draft",
    use=Use.READ,
)
