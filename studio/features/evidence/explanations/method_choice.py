"""The methods, by name: which suits an input, and the map by it."""

from __future__ import annotations

from studio.api import Array, UsageError
from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.integrated_gradients import integrated_gradients
from studio.features.evidence.explanations.methods.kernel_shap import kernel_shap
from studio.features.evidence.explanations.methods.occlusion import leave_one_out, occlusion
from studio.features.evidence.explanations.methods.perturbation import Perturbation, each, tiles
from studio.features.evidence.explanations.methods.rise import CELLS, DETECTOR_CELLS, rise
from studio.features.evidence.explanations.methods.scorer import Scorer
from studio.features.evidence.explanations.methods.shapley import MOST_FEATURES, shapley
from studio.features.evidence.explanations.question import AlteredInput, InputKind
from studio.lazy_dataclass import dataclass

GRADIENTS, ATTENTION = "integrated-gradients", "attention"

_KERNEL_TILES = 7
_EXACT_TILES = 3
_SIGNAL_TILES = 32
_MAPS = (InputKind.PICTURE, InputKind.SIGNAL)


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """A method with its settings.

    Attributes:
        name: ``rise``, ``drise``, ``occlusion``, ``shapley``, ``kernel-shap``,
            ``integrated-gradients`` or ``attention``.
        evaluations: Most scored samples.
        cells: Of the masks of RISE; 0 for the usual number.
    """

    name: str
    evaluations: int
    seed: int
    cells: int = 0

    @classmethod
    def of(
        cls, wanted: MethodChoice, altered: AlteredInput, sample: Array, is_detector: bool
    ) -> MethodChoice:
        """Return the requested method, or the one that suits the input.

        Raises:
            UsageError: when the requested method does not suit the input.
        """
        count = sample.shape[1]
        name = wanted.name
        if name == "auto":
            name = _usual(altered.kind, is_detector, count, wanted.evaluations)
        if name == "drise" and not is_detector:
            raise UsageError(
                "D-RISE explains a detector, and the model has no outputs.toml of one.",
                hint="Give --outputs FILE, or another method.",
            )
        if name == "rise" and altered.kind not in _MAPS:
            raise UsageError(
                f"RISE is for pictures and signals, and the input is a {altered.kind.value}.",
                hint="Use --method kernel-shap or occlusion.",
            )
        if name == "shapley" and altered.kind not in _MAPS and count > MOST_FEATURES:
            raise UsageError(
                f"Exact Shapley values are for up to {MOST_FEATURES} features, not {count}.",
                hint="Use --method kernel-shap.",
            )
        if name == ATTENTION and altered.kind is not InputKind.TEXT:
            raise UsageError(
                f"Attention is for texts, and the input is a {altered.kind.value}.",
                hint="Use --method auto.",
            )
        if name == GRADIENTS:
            _check_slopes(altered, sample, is_detector)
        return cls(name, wanted.evaluations, wanted.seed, wanted.cells)

    def perturbation(self, sample: Array, reference: Array, altered: AlteredInput) -> Perturbation:
        """Return the alterations that the method makes."""
        shape = tuple(sample.shape[axis] for axis in altered.axes)
        if altered.kind not in _MAPS:
            features = each(shape)
        elif self.name == "shapley":
            features = tiles(shape, _EXACT_TILES)
        else:
            is_picture = altered.kind is InputKind.PICTURE
            features = tiles(shape, _KERNEL_TILES if is_picture else _SIGNAL_TILES)
        return Perturbation(sample, reference, altered.axes, features)

    def map(
        self,
        scorer: Scorer,
        altered: Perturbation,
        kind: InputKind,
        slopes: Scorer | None = None,
    ) -> Attribution:
        """Return the map.

        Args:
            slopes: Gives gradients of the score; for integrated gradients alone.

        Raises:
            UsageError: when the bound on evaluations is too small.
        """
        if slopes is not None:
            return integrated_gradients(scorer, slopes, altered, self.evaluations)
        if self.name in ("rise", "drise"):
            cells = self.cells or (DETECTOR_CELLS if self.name == "drise" else CELLS)
            return rise(scorer, altered, self.evaluations, self.seed, cells)
        if self.name == "shapley":
            return shapley(scorer, altered, self.evaluations)
        if self.name == "kernel-shap":
            return kernel_shap(scorer, altered, self.evaluations, self.seed)
        if kind in _MAPS:
            return occlusion(scorer, altered, self.evaluations)
        return leave_one_out(scorer, altered, self.evaluations)


def _usual(kind: InputKind, is_detector: bool, features: int, evaluations: int) -> str:
    if kind is InputKind.PICTURE:
        return "drise" if is_detector else "rise"
    if kind is InputKind.ROW:
        is_exact = features <= MOST_FEATURES and (1 << features) <= evaluations
        return "shapley" if is_exact else "kernel-shap"
    return "occlusion"


def _check_slopes(altered: AlteredInput, sample: Array, is_detector: bool) -> None:
    if is_detector:
        raise UsageError(
            "Integrated gradients explain one score of a classifier, not a box.",
            hint="Use --method drise.",
        )
    if altered.kind is InputKind.TEXT or sample.dtype.kind != "f":
        raise UsageError(
            f"Integrated gradients need numbers that can change a little, and the input "
            f"{altered.name!r} has whole ones.",
            hint="Use --method occlusion or kernel-shap.",
        )
