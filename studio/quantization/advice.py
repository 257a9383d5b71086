"""Advice on a variant in a sentence: whether it is faster, and whether it is reliable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from studio.api import Dataset

_POOR_DB = 10.0
"""Below it a tenth of the outputs' energy is noise, with which no tested task works."""


_LOOKED_AT = 16
"""Samples: those that are all the same are so from the beginning."""


def doubts(data: Dataset | None) -> str:
    """Return a warning if the calibration data give unreliable ranges, or ""."""
    if data is None:
        return ""
    if len(data) == 1:
        return "calibration used one sample: use about 100 representative samples"
    seen: dict[str, set[float]] = {}
    for sample in islice(data, _LOOKED_AT):
        for name, array in sample.feeds.items():
            if array.dtype.kind == "f" and array.size:
                seen.setdefault(name, set()).update((float(array.min()), float(array.max())))
    flat = [name for name, values in seen.items() if len(values) == 1]
    if not flat:
        return ""
    return (
        f"all calibration data of input {flat[0]!r} have the value "
        f"{seen[flat[0]].pop():g}: the ranges do not represent real samples"
    )


def advice(
    precision: str,
    interval: Sequence[float] | None,
    sqnr_db: float | None,
    drop: float | None,
    doubt: str = "",
    size_ratio: float = 0.0,
) -> str | None:
    """Return a warning about a variant, or None.

    Args:
        interval: Of its time over that of the float model.
        sqnr_db: At the worst output.
        drop: Loss of the task metric; with it, the outputs' noise adds no information.
        doubt: Warning about the calibration data.
        size_ratio: Of its file to the float model's.
    """
    found = [doubt] if doubt else []
    if size_ratio > 1:
        found.append(
            f"{precision} makes the file larger ({size_ratio:.2f} of the original): the "
            "conversion adds more than it saves"
        )
    found += _on_speed(precision, interval, size_ratio)
    if drop is None and sqnr_db is not None and sqnr_db < _POOR_DB:
        found.append(
            f"low output SQNR ({sqnr_db:.1f} dB): evaluate on labelled data before you deploy"
        )
    return _sentence(found)


def with_speed(
    text: str, precision: str, interval: Sequence[float] | None, size_ratio: float
) -> str | None:
    """Return an advice with another measurement of the speed in place of its own."""
    others = [part for part in text.removesuffix(".").split("; ") if part and _SPEED not in part]
    return _sentence([*others, *_on_speed(precision, interval, size_ratio)])


_SPEED = "than float on this machine"


def _on_speed(precision: str, interval: Sequence[float] | None, size_ratio: float) -> Iterator[str]:
    if interval is None or interval[1] < 1:
        return
    word = "slower" if interval[0] > 1 else "not measurably faster"
    times = f"({interval[0]:.2f} to {interval[1]:.2f} of its time)"
    but = ", unless its size matters" if interval[0] <= 1 and size_ratio < 1 else ""
    yield f"{precision} is {word} {_SPEED} {times}: keep the float model{but}"


def _sentence(parts: Sequence[str]) -> str | None:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else None
