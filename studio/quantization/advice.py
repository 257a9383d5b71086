"""What is to be thought of a variant, in a sentence: whether it pays, whether it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

_POOR_DB = 10.0
"""Below it a tenth of the outputs' energy is noise: no task that was seen here survives that."""


def advice(
    precision: str, interval: Sequence[float] | None, sqnr_db: float | None, drop: float | None
) -> str | None:
    """What speaks against a variant; None where nothing does.

    Args:
        interval: Of its time over that of the float model.
        sqnr_db: At the worst output.
        drop: Loss of the task metric; with it, the outputs' noise says nothing more.
    """
    found = []
    if interval is not None and interval[0] > 1:
        found.append(
            f"{precision} is slower than float on this machine "
            f"({interval[0]:.2f} to {interval[1]:.2f} of its time): keep the float model"
        )
    elif interval is not None and interval[1] >= 1:
        found.append(
            f"{precision} is not measurably faster than float on this machine "
            f"({interval[0]:.2f} to {interval[1]:.2f} of its time): keep the float model, "
            "unless its size matters"
        )
    if drop is None and sqnr_db is not None and sqnr_db < _POOR_DB:
        found.append(
            f"the outputs are far from float's ({sqnr_db:.1f} dB): "
            "judge it on labelled data before it is used"
        )
    return "; ".join(found)[:1].upper() + "; ".join(found)[1:] + "." if found else None
