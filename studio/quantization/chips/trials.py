"""Variants that a search for a chip makes: scored here, and compiled and run as the chip would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Dataset, Transformed
from studio.conversion.chips.results import ChipResult, Verdict
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.lazy_dataclass import dataclass
from studio.quantization.chips.alternatives import Alternative
from studio.quantization.chips.results import ChipCandidate
from studio.quantization.chips.verdict import ChipVerdicts
from studio.quantization.layer_search import CandidateScorer
from studio.quantization.tuner import Tuner

_ROUNDS = 3
"""Compilations in which layers are found that the chip takes in float alone."""


@dataclass(frozen=True, slots=True)
class LayerWork:
    """Error of a layer in int8, and its multiplications, which are the work that int8 saves.

    The time on a chip is not known here, and this computer's processor is no measure for it.
    """

    sqnr_db: float
    macs: int
    float_us: float = 0.0
    int8_us: float = 0.0

    @property
    def gain_us(self) -> float:
        """The work, which takes the place of the time; never nothing."""
        return max(float(self.macs), 1.0)


@dataclass(frozen=True, slots=True)
class ChipDemand:
    """Layers of a model in int8 that a chip takes, and those that it does not.

    Attributes:
        needed: Layers that it takes in float alone.
        fallback: Number of nodes that it never takes.
        problem: Why no variant in int8 runs there; empty where one does.
    """

    needed: tuple[str, ...]
    fallback: int
    problem: str = ""


class ChipTrials:
    """Variants with some layers in float, and those of other presets.

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
        self._folder, self._path = folder, folder / "trial.onnx"
        self._work, self._job = work, job
        self._all = sum(one.gain_us for one in work.values())
        self._others: dict[str, Transformed] = {}
        self.made: list[ChipCandidate] = []

    def demand(self) -> ChipDemand:
        """Return what the chip takes of the model in int8."""
        kept: list[str] = []
        least = self._placed(kept)
        for _ in range(_ROUNDS):
            more = [one.node for one in least.refused if one.keep_float and one.node in self._work]
            if not (more := [name for name in more if name not in kept]):
                break
            kept = [*kept, *more]
            least = self._placed(kept)
        reason = ""
        if least.verdict == Verdict.REFUSED.value:
            reason = least.reason or "none of its nodes runs there."
            reason = f"{least.title} refuses the model in int8: {reason}"
        elif len(kept) == len(self._work):
            reason = f"{least.title} takes no layer of this model in int8."
        return ChipDemand(tuple(kept), least.nodes.fallback, reason)

    def scored(self, kept: Sequence[str]) -> ChipCandidate:
        """Make a candidate, and return its loss in ONNX Runtime."""
        phase = self._phase(f"Evaluating candidate with {len(kept)} layers in float")
        self._tuner.write(self._path, kept)
        share = sum(self._work[name].gain_us for name in kept) / max(self._all, 1.0)
        return self._scored(self._path, kept, round(share, 6), "", phase)

    def alternative(
        self, other: Alternative, subject: LoadedModel, data: Dataset | None
    ) -> ChipCandidate:
        """Make the variant of another preset, and return its loss in ONNX Runtime."""
        phase = self._phase(f"Evaluating the preset {other.name}")
        path = self._folder / f"{other.name}.onnx"
        made = other.transform.apply(subject.path, path, other.preset.options, data, phase)
        self._others[other.name] = made
        return self._scored(path, (), 0.0, other.name, phase)

    def _scored(
        self, path: Path, kept: Sequence[str], share: float, preset: str, phase: Phase
    ) -> ChipCandidate:
        found = self._scorer.scored(path, kept, 1.0, phase)
        made = ChipCandidate(
            found.kept,
            found.drop,
            share,
            found.bytes,
            found.score,
            found.samples,
            preset=preset,
        )
        self.made.append(made)
        return made

    def emulated(self, one: ChipCandidate, seen: Dataset) -> ChipCandidate:
        """Compile a candidate, and run it as the chip would."""
        what = one.preset or f"{len(one.kept)} layers in float"
        self._phase(f"Compiling {what} for {self._verdicts.chip.title}")
        result = self._verdicts.judged(self._written(one, self._path).path, seen)
        found = replace(
            one,
            verdict=result.verdict,
            fallback=result.nodes.fallback,
            chip_drop=self._verdicts.drop(result),
            reason=result.reason,
        )
        self.made[self.made.index(one)] = found
        return found

    def write(self, one: ChipCandidate, output: Path) -> Transformed:
        """Write a candidate."""
        made = self._written(one, output)
        if made.path != output:
            made.path.rename(output)
        return replace(made, path=output)

    def _written(self, one: ChipCandidate, path: Path) -> Transformed:
        return self._others[one.preset] if one.preset else self._tuner.write(path, one.kept)

    def _placed(self, kept: Sequence[str]) -> ChipResult:
        self._phase(f"Compiling for {self._verdicts.chip.title}")
        self._tuner.write(self._path, kept)
        return self._verdicts.placed(self._path)

    def _phase(self, title: str) -> Phase:
        phase = Phase(self._job, 0.28, 0.5, title)
        phase.progress(0, 1)
        return phase
