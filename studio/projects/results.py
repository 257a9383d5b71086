"""The project of a model, as the window, the command line and pipelines read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass

CLASSIFICATION = "classification"
DETECTION = "detection"
SEGMENTATION = "segmentation"
TEXT_RECOGNITION = "text-recognition"
TEXT_GENERATION = "text-generation"
EMBEDDING = "embedding"
REGRESSION = "regression"
TASK_TITLES = {
    CLASSIFICATION: "Classification",
    DETECTION: "Object detection",
    SEGMENTATION: "Segmentation",
    TEXT_RECOGNITION: "Text recognition",
    TEXT_GENERATION: "Text generation",
    EMBEDDING: "Embedding",
    REGRESSION: "Regression",
}
TASKS = tuple(TASK_TITLES)
YOU = "you"
"""The source of a value that the user has set."""

PATHS = (
    "preprocess",
    "outputs",
    "calibration",
    "evaluation",
    "heldout",
    "labels",
    "label_map",
    "dictionary",
    "groups",
)
"""The fields of a project that name a file or folder."""

TEXTS = ("task", "metric")
LISTS = ("targets", "float_nodes")
FIELDS = (*TEXTS, *PATHS, *LISTS)
"""Everything that can be set, in the order in which it is shown."""


def flag(name: str) -> str:
    """Return the option of ``studio project set`` for a field."""
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class ProjectSource:
    """The source of one value of a project.

    Attributes:
        what: The field.
        where: ``you``, ``project.toml``, ``the model's folder``, ``the converted file`` or
            ``the model``.
        why: What a recognised value was recognised by; empty for a file.
    """

    what: str
    where: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class ProjectIssue:
    """A contradiction, a loss, or a missing part.

    Attributes:
        what: The field that it is about.
        text: One sentence.
        hint: How to correct it.
    """

    what: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The known facts about a model beyond its graph; paths are absolute.

    Attributes:
        model: The model's name.
        task: What the model does (``classification``); None when it could not be recognised.
        outputs: What the outputs mean, an ``outputs.toml``.
        heldout: Data that no choice has seen, for the last word and for trying out.
        label_map: The model's class for each label of its data, where these are others.
        groups: Groups of the samples, a ``groups.csv``.
        targets: Names of the targets of interest.
        float_nodes: Names of the nodes that quantization keeps in float.
        licence: The model's licence by a file in its folder; empty without one.
        found: The source of each value that is not None.
        issues: What contradicts the model, is gone, or is missing for the task.
    """

    model: str
    task: str | None = None
    metric: str | None = None
    preprocess: str | None = None
    outputs: str | None = optional()
    calibration: str | None = None
    evaluation: str | None = None
    heldout: str | None = None
    labels: str | None = None
    label_map: str | None = None
    dictionary: str | None = None
    groups: str | None = optional()
    targets: tuple[str, ...] = ()
    float_nodes: tuple[str, ...] = ()
    licence: str = optional("")
    found: tuple[ProjectSource, ...] = ()
    issues: tuple[ProjectIssue, ...] = field(default=())

    def source_of(self, what: str) -> str:
        """Return where a field's value comes from; empty without a value."""
        return next((one.where for one in self.found if one.what == what), "")

    def issue_of(self, what: str) -> ProjectIssue | None:
        """Return the first issue about a field; None without one."""
        return next((one for one in self.issues if one.what == what), None)

    def has_use_for(self, what: str) -> bool:
        """Return whether the task uses a list: class names or characters; True for other fields."""
        if what == "label_map":
            return self.task == CLASSIFICATION
        if what == "labels":
            return self.task in (CLASSIFICATION, DETECTION, SEGMENTATION, None)
        return what != "dictionary" or self.task == TEXT_RECOGNITION

    def stands_in(self, names: Sequence[str]) -> bool:
        """Return whether an option for held-out data alone would repeat the evaluation data.

        Without other labelled data, the held-out data is the evaluation data: a search would
        choose by the samples that judge its choice.
        """
        heldout = self.usable("heldout")
        labelled = self.usable("evaluation", "heldout")
        return tuple(names) == ("heldout",) and bool(heldout) and labelled[:1] == heldout

    def usable(self, *names: str) -> tuple[str, ...]:
        """Return the values of some fields, without those that have an issue."""
        values = {name: getattr(self, name) for name in names if self.issue_of(name) is None}
        return tuple(str(value) for value in values.values() if value)
