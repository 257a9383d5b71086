"""The search for layers that stay in float on a chip: its own verdict and numbers decide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from studio.api import Dataset, GateMissed, Graph, Transform, Transformed
from studio.conversion.chips.results import Verdict
from studio.evaluation.judge import Evaluator
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.lazy_dataclass import dataclass
from studio.models.macs import macs
from studio.models.opening import read_model
from studio.quantization.chips.alternatives import Alternative
from studio.quantization.chips.results import ChipCandidate, ChipSearchReport
from studio.quantization.chips.trials import ChipDemand, ChipTrials, LayerWork
from studio.quantization.chips.verdict import ChipVerdicts
from studio.quantization.layer_search import CandidateScorer
from studio.quantization.preset import Preset
from studio.quantization.search_strategy import MARGIN, LayerLadder, by_harm, least_kept
from studio.quantization.tuner import tuner_of

_TRIALS = 6
"""Most variants that are scored."""

_EMULATED = 3
"""Most variants of a kind that an emulator runs, which takes minutes for each."""

_MOST_FLOAT = 0.5
"""Share of the multiplications in float above which another preset is tried first."""


@dataclass(frozen=True, slots=True)
class ChosenVariant:
    """The variant that a search has chosen.

    Attributes:
        preset: None: that of the quantization.
    """

    made: Transformed
    report: ChipSearchReport
    preset: Preset | None = None


class ChipLayerSearch:
    """Finds the layers that stay in float, for one model, one metric and one chip.

    Args:
        others: Presets to try where layers in float are not enough.
    """

    def __init__(
        self,
        subject: LoadedModel,
        judge: Evaluator,
        seen: Dataset,
        job: Job,
        verdicts: ChipVerdicts,
        max_drop: float,
        others: Iterable[Alternative] = (),
    ) -> None:
        self._subject, self._job, self._verdicts = subject, job, verdicts
        self._judge, self._seen, self._max_drop = judge, seen, max_drop
        self._others = others

    def run(
        self,
        transform: Transform,
        output: Path,
        options: Mapping[str, object],
        data: Dataset | None,
    ) -> ChosenVariant:
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
        trials = ChipTrials(self._verdicts, scorer, tuner, folder, work, self._job)
        demand = trials.demand()
        ladder = None
        if not demand.problem:
            ladder = LayerLadder(demand.needed, by_harm(_without(work, demand.needed)), work)
            least_kept(ladder, trials.scored, self._max_drop * MARGIN, _TRIALS)
        best, preset = self._best(trials, ladder, demand, fed)
        report = ChipSearchReport(
            chip=self._verdicts.chip.id,
            max_drop=self._max_drop,
            before=scorer.before.value,
            needed=demand.needed,
            chosen=best.kept,
            preset=best.preset,
            trials=tuple(trials.made),
            samples=len(self._seen),
        )
        return ChosenVariant(trials.write(best, output), report, preset)

    def _graph(self) -> Graph:
        return read_model(self._subject.path, self._job).sized.graph

    def _best(
        self,
        trials: ChipTrials,
        ladder: LayerLadder | None,
        demand: ChipDemand,
        data: Dataset | None,
    ) -> tuple[ChipCandidate, Preset | None]:
        """Return the candidate with the least work in float that the chip runs as well.

        Other presets come before variants whose work is mostly in float.
        """
        good = [one for one in trials.made if one.drop <= self._max_drop]
        good.sort(key=lambda one: (one.drop > self._max_drop * MARGIN, one.float_share))
        fallback = None if demand.problem else demand.fallback
        light = [one for one in good if one.float_share <= _MOST_FLOAT]
        if found := self._kept(trials, ladder, light, fallback, _MOST_FLOAT):
            return found, None
        for other in self._others:
            made = trials.alternative(other, self._subject, data)
            if made.drop <= self._max_drop and (
                found := self._kept(trials, None, [made], fallback)
            ):
                return found, other.preset
        heavy = [
            one
            for one in sorted(trials.made, key=lambda one: one.float_share)
            if one.drop <= self._max_drop and one.float_share > _MOST_FLOAT
        ]
        if found := self._kept(trials, ladder, heavy, fallback):
            return found, None
        if demand.problem:
            raise GateMissed(demand.problem)
        raise _missed(self._verdicts.chip.title, self._max_drop, trials.made)

    def _kept(
        self,
        trials: ChipTrials,
        ladder: LayerLadder | None,
        queue: Sequence[ChipCandidate],
        fallback: int | None,
        most: float = 1.0,
    ) -> ChipCandidate | None:
        """Return the first candidate that the chip runs as well, and that keeps the limit there.

        Where the chip loses more than ONNX Runtime, further layers of the ladder stay in float.
        """
        left = list(queue)
        for _ in range(_EMULATED):
            if not left:
                return None
            found = trials.emulated(left.pop(0), self._seen)
            if not _runs(found, fallback):
                continue
            drop = found.chip_drop
            if drop is None or drop <= self._max_drop:
                return found
            if ladder is not None:
                step = ladder.step(found.kept)
                more = ladder.first_below(ladder.noise[step] * self._max_drop * MARGIN / drop)
                step = min(max(more, step + 1), ladder.top)
                next_one = trials.scored(ladder.layers_at(step))
                if next_one.float_share <= most and next_one.kept != found.kept:
                    left.insert(0, next_one)
        return None


def _work(graph: Graph, errors: Mapping[str, float]) -> dict[str, LayerWork]:
    nodes = {node.name: node for node in graph.nodes}
    return {
        name: LayerWork(sqnr_db, (macs(nodes[name], graph) or 0) if name in nodes else 0)
        for name, sqnr_db in errors.items()
    }


def _without(work: Mapping[str, LayerWork], names: Collection[str]) -> dict[str, LayerWork]:
    return {name: one for name, one in work.items() if name not in names}


def _runs(found: ChipCandidate, fallback: int | None) -> bool:
    """Return whether the chip runs all nodes that it ever takes, or any where that is not known."""
    is_placed = fallback is None or found.fallback <= fallback
    return found.verdict != Verdict.REFUSED.value and is_placed


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
