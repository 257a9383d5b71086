"""The limits that a new variant has to keep: of the metric, of the time and of its chip."""

from __future__ import annotations

from studio.api import GateMissed
from studio.conversion.chips.results import ChipResult, Verdict
from studio.evaluation.comparison import Latency
from studio.evaluation.results import MetricChange
from studio.quantization.step import QuantizeOptions


def check_limits(
    options: QuantizeOptions,
    verdict: MetricChange | None,
    time_taken: Latency | None,
    precision: str,
) -> None:
    """Compare the loss and the time with the limits.

    Raises:
        GateMissed: when one is larger.
    """
    limit, slowest = options.max_drop, options.max_latency_ratio
    if verdict is not None and limit is not None and verdict.drop > limit:
        raise GateMissed(
            f"Metric drop of {precision} is {verdict.drop:.4f} {verdict.title.lower()} "
            f"({verdict.before:.4f} to {verdict.after:.4f}, {verdict.samples} samples), over "
            f"the budget of {limit:g}. The variant was discarded.",
            hint="Use --search to keep sensitive layers in float, or add calibration samples.",
        )
    # A ratio whose interval reaches below the limit is not shown to miss it.
    if time_taken is not None and slowest is not None and time_taken.low > slowest:
        raise GateMissed(
            f"Latency ratio of {precision} is {time_taken.ratio:.2f} ({time_taken.low:.2f} "
            f"to {time_taken.high:.2f}), over the limit of {slowest:g}. The variant was "
            "discarded.",
            hint="Use --search, or keep fewer layers in float.",
        )


def check_chip(result: ChipResult, drop: float | None, limit: float | None) -> None:
    """Compare the verdict of a chip with what a variant for it must keep.

    Raises:
        GateMissed: when the chip refuses the variant, or it loses more there than the limit.
    """
    if result.verdict == Verdict.REFUSED.value:
        reason = result.reason or "none of its nodes runs there."
        raise GateMissed(
            f"{result.title} refuses the variant, which was discarded: {reason}",
            hint=f"Use the preset of the chip, or run: studio check MODEL --for {result.chip}",
        )
    if drop is not None and limit is not None and drop > limit:
        assert result.numbers is not None
        raise GateMissed(
            f"Metric drop on {result.title} is {drop:.4f} ({result.numbers.metric}), over the "
            f"budget of {limit:g}. The variant was discarded.",
            hint="Use --search to keep sensitive layers in float.",
        )
