"""The result of each stage in a word or two, as the rail shows it.

What reads the results is loaded with the first model, after the first paint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.feature_host import Slot
from studio.gui import figures
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studio.gui.current_project import CurrentProject, CurrentVariant
    from studio.workspace import RunRecord, VariantRecord, Workspace

NEXT = "next"


@dataclass(frozen=True, slots=True)
class StageResult:
    """The result of a stage that a feature adds in the slot ``results of stages``.

    Attributes:
        stage: Identifier of its page.
        step: The step whose run about a variant completes the stage.
        word: Returns the result for a variant in a word or two; empty without one.
    """

    stage: str
    step: str
    word: Callable[[Workspace, VariantRecord], str]


_ADDED: Slot[StageResult] = Slot("results of stages")


class StageResults:
    """The results for the current variant, read from the registry.

    Attributes:
        added: The results of features.
    """

    def __init__(
        self, workspace: Workspace, current: CurrentVariant, project: CurrentProject
    ) -> None:
        self._workspace = workspace
        self._current = current
        self._project = project
        self.added = _ADDED.added()
        self._latencies: dict[tuple[int, int], str] = {}

    def words(self) -> Mapping[str, str]:
        """Return the result by stage; the first step without one is ``next``."""
        variant = self._current.variant
        if variant is None:
            return {}
        found = {"project": self._ready(), "model": self._nodes(variant)}
        following = NEXT
        for stage, word in (
            ("quantize", self._variants()),
            ("profile", self._latency(variant)),
            ("deploy", self._served(variant)),
        ):
            found[stage] = word or following
            following = following if word else ""
        for result in self.added:
            found[result.stage] = result.word(self._workspace, variant)
        return {stage: word for stage, word in found.items() if word}

    @property
    def lacks(self) -> bool:
        """Whether the project of the current model is known, and incomplete."""
        done, of = self._progress()
        return done < of

    def _ready(self) -> str:
        done, of = self._progress()
        return f"{done} of {of}" if of else ""

    def _progress(self) -> tuple[int, int]:
        """Return how many rows of the project are ready, and how many there are; 0 without one."""
        from studio.gui.pages.project.rows import ready, rows_of

        project, variant = self._project.value, self._current.variant
        if project is None or variant is None:
            return 0, 0
        return ready(rows_of(project, bool(variant.summary.get("language"))))

    @staticmethod
    def _nodes(variant: VariantRecord) -> str:
        from studio.models.results import ModelFigures

        nodes = ModelFigures.read(variant.summary).nodes
        if nodes is None:
            return ""
        return "1 node" if nodes == 1 else f"{figures.whole(nodes)} nodes"

    def _variants(self) -> str:
        count = len(self._current.variants)
        return f"{count} variants" if count > 1 else ""

    def _latency(self, variant: VariantRecord) -> str:
        """Return the median of the last profile of the variant on the first backend."""
        runs = self._workspace.registry.runs("profile", variant.id, most=1)
        if not runs:
            return ""
        key = (runs[0].id, variant.id)
        if key not in self._latencies:  # a run of many sizes takes milliseconds to be read
            self._latencies = {key: self._latency_in(runs[0], variant)}
        return self._latencies[key]

    @staticmethod
    def _latency_in(run: RunRecord, variant: VariantRecord) -> str:
        from studio.documents.dataclass_json import read_parts
        from studio.profiling.results import ProfileResult

        for row in read_parts(ProfileResult, run.result).runs:
            if row.variant_id == variant.id and row.latency_ms is not None:
                return f"{figures.milliseconds(row.latency_ms.p50)} ms"
        return ""

    def _served(self, variant: VariantRecord) -> str:
        running = self._workspace.registry.history.running().values()
        count = sum(release.facts.name == variant.model_name for release in running)
        return f"{count} live" if count else ""
