"""Prompts of a profile: lengths as a distribution, or the user's own texts."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

from studio.api import InvalidData, UsageError

MOST_PROMPTS = 200
"""Prompts that are read of a file; a profile makes fewer rounds."""

_DRAWN = 20
_MOST_BYTES = 16 << 20
_KEYS = ("prompt", "text", "input")


def lengths(numbers: Sequence[int]) -> tuple[int, ...]:
    """Return the tokens of each prompt: one number, or those of a distribution.

    Two numbers are the median and the 95th percentile of a log-normal distribution. Its
    quantiles are taken at even steps, in a fixed random order.

    Raises:
        UsageError: when the numbers are more than two, or the second one is the smaller.
    """
    given = list(numbers)
    if len(given) == 1:
        return (given[0],)
    if len(given) != 2 or given[1] < given[0]:
        raise UsageError(
            "Prompt lengths are one number, or a median and a larger 95th percentile.",
            hint="Example: --prompt-tokens 128,512",
        )
    spread = math.log(given[1] / given[0]) / NormalDist().inv_cdf(0.95)
    steps = (NormalDist().inv_cdf((step + 0.5) / _DRAWN) for step in range(_DRAWN))
    drawn = [max(1, round(given[0] * math.exp(spread * step))) for step in steps]
    random.Random(0).shuffle(drawn)
    return tuple(drawn)


def texts(path: Path) -> tuple[str, ...]:
    """Read prompts: JSON lines with a text, or with an object whose ``prompt`` is one.

    Raises:
        InvalidData: when the file holds no prompts, or a line is neither.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidData(f"{path.name} is larger than {_MOST_BYTES >> 20} MiB.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidData(f"{path.name} cannot be read: {reason}.") from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise InvalidData(f"{path.name} has no prompts.")
    return tuple(_text(path, number, line) for number, line in numbered[:MOST_PROMPTS])


def _text(path: Path, number: int, line: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        value = next((value[key] for key in _KEYS if key in value), None)
    if not isinstance(value, str) or not value.strip():
        raise InvalidData(
            f"Line {number} of {path.name} has no prompt.",
            hint='Write one JSON object a line: {"prompt": "What is the capital of France?"}',
        )
    return value
