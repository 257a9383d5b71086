"""Kubernetes' quantities (``250m``, ``512Mi``) as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
_SCALE = {
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{unit + "i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
}


def parse_quantity(text: str) -> Decimal:
    """Return the number that a quantity means (cores, bytes).

    Raises:
        ValueError: when it is not one.
    """
    match = _FORM.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is not a quantity")
    number, unit = match[1], match[2] or ""
    if unit in _SCALE:
        return Decimal(number) * _SCALE[unit]
    return Decimal(number + unit)
