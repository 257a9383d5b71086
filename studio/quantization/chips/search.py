"""The search for layers that stay in float on a chip: its own verdict and numbers decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studio.api import Dataset, GateMissed, Graph, Transform, Transformed
from studio.conversion.chips.results import ChipResult, Verdict
from studio.evaluation.judge import Evaluator
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.models.macs import macs
from studio.models.opening import read_model
from studio.quantization.chips.results import ChipCandidate, ChipSearchReport
from studio.quantization.chips.verdict import ChipVerdicts
from studio.quantization.layer_search import CandidateScorer
from studio.quantization.search_strategy import MARGIN, LayerLadder, by_harm, least_kept
from studio.quantization.tuner import Tuner, tuner_of

_ROUNDS = 3
"""Compilations in which layers are found that the chip takes in float alone."""

_TRIALS = 6
"""Most variants that are scored."""

_EMULATED = 3
"""Most of them that an emulator runs, which takes minutes for each."""


@dataclass(frozen=True, slots=True)
class LayerWork:
    """Error of a layer in int8, and its multiplications, which are the work that int8 saves.

    The time on a chip is not known here, and that of this computer's processor says little of it.
    """

    sqnr_db: float
    macs: int
    float_us: float = 0.0
    int8_us: float = 0.0

    @property
    def gain_us(self) -> float:
        """The work, which takes the place of the time; never nothing."""
        return max(float(self.macs), 1.0)


class ChipLayerSearch:
    """Finds the layers that stay in float, for one model, one metric and one chip."""

    def __init__(
        self,
        subject: LoadedModel,
        judge: Evaluator,
        seen: Dataset,
        job: Job,
        verdicts: ChipVerdicts,
        max_drop: float,
    ) -> None:
        self._subject, self._job, self._verdicts = subject, job, verdicts
        self._judge, self._seen, self._max_drop = judge, seen, max_drop

    def run(
        self,
        transform: Transform,
        output: Path,
        options: Mapping[str, object],
        data: Dataset | None,
    ) -> tuple[Transformed, ChipSearchReport]:
        """Write the variant that the chip takes, with the least work in float.

        Raises:
            UsageError: when the transform cannot leave layers in float.
            GateMissed: when the chip refuses all variants, or all lose more than the limit.
        """
        make = tuner_of(transform)
        folder = output.with_suffix(".search")
        folder.mkdir()
        fed = None if data is None else self._subject.whole_feeds(data)
        tuner = make(self._subject.path, folder, options, fed, Phase(self._job, 0.02, 0.2))
        errors = tuner.costs(Phase(self._job, 0.2, 0.25), timed=False)
        work = _work(self._graph(), {name: one.sqnr_db for name, one in errors.items()})
        scorer = CandidateScorer(self._subject, self._judge, self._seen, self._job, self._max_drop)
        trials = _ChipTrials(self._verdicts, scorer, tuner, folder, work, self._job)
        needed, fallback = trials.needed()
        if not _without(work, needed):
            raise GateMissed(f"{self._verdicts.chip.title} takes no layer of this model in int8.")
        ladder = LayerLadder(needed, by_harm(_without(work, needed)), work)
        least_kept(ladder, trials.scored, self._max_drop * MARGIN, _TRIALS)
        best = self._best(trials, ladder, fallback)
        report = ChipSearchReport(
            chip=self._verdicts.chip.id,
            max_drop=self._max_drop,
            before=scorer.before.value,
            needed=tuple(needed),
            chosen=best.kept,
            trials=tuple(trials.made),
            samples=len(self._seen),
        )
        return tuner.write(output, best.kept), report

    def _graph(self) -> Graph:
        return read_model(self._subject.path, self._job).sized.graph

    def _best(self, trials: _ChipTrials, ladder: LayerLadder, fallback: int) -> ChipCandidate:
        """Return the candidate with the least work in float that the chip runs as well.

        Where the chip loses more than ONNX Runtime, further layers stay in float.
        """
        queue = [one for one in trials.made if one.drop <= self._max_drop]
        queue.sort(key=lambda one: (one.drop > self._max_drop * MARGIN, one.float_share))
        tried: list[ChipCandidate] = []
        while queue and len(tried) < _EMULATED:
            found = trials.emulated(queue.pop(0), self._seen)
            tried.append(found)
            if not _runs(found, fallback):
                continue
            drop = found.chip_drop
            if drop is None or drop <= self._max_drop:
                return found
            step = ladder.step(found.kept)
            more = ladder.first_below(ladder.noise[step] * self._max_drop * MARGIN / drop)
            queue.insert(0, trials.scored(ladder.layers_at(max(more, step + 1))))
        raise _missed(self._verdicts.chip.title, self._max_drop, tried or trials.made)


class _ChipTrials:
    """Variants with some layers in float, scored here and compiled for the chip.

    Attributes:
        made: In the order in which they were made, each as it is known last.
    """

    def __init__(
        self,
        verdicts: ChipVerdicts,
        scorer: CandidateScorer,
        tuner: Tuner,
        folder: Path,
        work: Mapping[str, LayerWork],
        job: Job,
    ) -> None:
        self._verdicts, self._scorer, self._tuner = verdicts, scorer, tuner
        self._path, self._work, self._job = folder / "trial.onnx", work, job
        self._all = sum(one.gain_us for one in work.values())
        self.made: list[ChipCandidate] = []

    def needed(self) -> tuple[list[str], int]:
        """Return layers that the chip takes in float alone, and the nodes that it never takes.

        Raises:
            GateMissed: when its compiler refuses the whole model.
        """
        kept: list[str] = []
        least = self._placed(kept)
        for _ in range(_ROUNDS):
            more = [one.node for one in least.refused if one.keep_float and one.node in self._work]
            if not (more := [name for name in more if name not in kept]):
                break
            kept = [*kept, *more]
            least = self._placed(kept)
        if least.verdict == Verdict.REFUSED.value:
            reason = least.reason or "none of its nodes runs there."
            raise GateMissed(f"{least.title} refuses the model in int8: {reason}")
        return kept, least.nodes.fallback

    def scored(self, kept: Sequence[str]) -> ChipCandidate:
        """Make a candidate, and return its loss in ONNX Runtime."""
        phase = self._phase(f"Evaluating candidate with {len(kept)} layers in float")
        self._tuner.write(self._path, kept)
        share = sum(self._work[name].gain_us for name in kept) / max(self._all, 1.0)
        found = self._scorer.scored(self._path, kept, 1.0, phase)
        made = ChipCandidate(
            found.kept, found.drop, round(share, 6), found.bytes, found.score, found.samples
        )
        self.made.append(made)
        return made

    def emulated(self, one: ChipCandidate, seen: Dataset) -> ChipCandidate:
        """Compile a candidate, and run it as the chip would."""
        title = self._verdicts.chip.title
        self._phase(f"Compiling {len(one.kept)} layers in float for {title}")
        self._tuner.write(self._path, one.kept)
        result = self._verdicts.judged(self._path, seen)
        found = replace(
            one,
            verdict=result.verdict,
            fallback=result.nodes.fallback,
            chip_drop=self._verdicts.drop(result),
            reason=result.reason,
        )
        self.made[self.made.index(one)] = found
        return found

    def _placed(self, kept: Sequence[str]) -> ChipResult:
        self._phase(f"Compiling for {self._verdicts.chip.title}")
        self._tuner.write(self._path, kept)
        return self._verdicts.placed(self._path)

    def _phase(self, title: str) -> Phase:
        phase = Phase(self._job, 0.28, 0.5, title)
        phase.progress(0, 1)
        return phase


def _work(graph: Graph, errors: Mapping[str, float]) -> dict[str, LayerWork]:
    nodes = {node.name: node for node in graph.nodes}
    return {
        name: LayerWork(sqnr_db, (macs(nodes[name], graph) or 0) if name in nodes else 0)
        for name, sqnr_db in errors.items()
    }


def _without(work: Mapping[str, LayerWork], names: Collection[str]) -> dict[str, LayerWork]:
    return {name: one for name, one in work.items() if name not in names}


def _runs(found: ChipCandidate, fallback: int) -> bool:
    """Return whether the chip runs all nodes that it ever takes."""
    return found.verdict != Verdict.REFUSED.value and found.fallback <= fallback


def _missed(title: str, limit: float, tried: Sequence[ChipCandidate]) -> GateMissed:
    """Return the error with the best candidate."""
    refused = next((one.reason for one in tried if one.reason), "")
    if refused:
        return GateMissed(f"{title} refuses the best candidates: {refused}")
    least = min(one.drop if one.chip_drop is None else one.chip_drop for one in tried)
    return GateMissed(
        f"None of {len(tried)} candidates for {title} met the maximum metric drop of {limit:g}; "
        f"the best has {least:.4f}.",
        hint="Add calibration data, raise --max-drop, or use fp16.",
    )
