"""Cost of instances per hour, from a table with its source and date."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from studio_sagemaker.desired_state import Json

_TABLE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the variants of a configuration.

    Attributes:
        per_hour: None where it is not known.
        note: How it was reckoned, or why it is not known.
    """

    per_hour: float | None
    currency: str
    note: str

    @property
    def sentence(self) -> str:
        """The price with its note."""
        if self.per_hour is None:
            return self.note
        return f"{self.per_hour:g} {self.currency} an hour: {self.note}"


def cost_of(region: str, variants: list[Json], most: int = 0) -> Cost:
    """Return the on-demand cost per hour of some variants.

    Args:
        most: Instances up to which autoscaling may go; 0 for none.
    """
    table = prices()
    currency = str(table["currency"])
    if any("ServerlessConfig" in one for one in variants):
        return Cost(None, currency, "Serverless costs nothing by the hour, only by the request.")
    known = table["regions"].get(region) or {}
    total, parts = 0.0, []
    for one in variants:
        kind, count = str(one["InstanceType"]), int(one["InitialInstanceCount"])
        if kind not in known:
            return Cost(None, "", f"The price of {kind} in {region} is not known to the studio.")
        total += known[kind] * count
        parts.append(f"{count} x {kind} at {known[kind]:g}")
    note = f"{' and '.join(parts)}, on demand, as of {table['date']} ({table['source']})"
    if most:
        highest = known[str(variants[0]["InstanceType"])] * most
        note += f"; up to {highest:g} with {most} instances"
    return Cost(round(total, 4), currency, f"{note}. AWS's bill is what counts.")


@cache
def prices() -> Any:
    """Return the table: currency, source, date, and regions with instance types."""
    return json.loads(_TABLE.read_text(encoding="utf-8"))
