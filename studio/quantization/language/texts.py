"""The table of a language model's types, group by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.documents.text_table import table
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TypedGroup:
    """Weights that share a type of llama.cpp.

    Attributes:
        name: The first weight of the group.
        kl: What the search expected it to add to the divergence.
    """

    name: str
    weights: int
    type: str
    bytes: int
    kl: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrunkModel:
    """Facts of a search of types.

    Attributes:
        kl: Mean divergence from the float model on text that no choice has seen.
        kl_interval: At 95 %.
        tokens: Number that were judged.
        text: SHA-256 of the text.
    """

    kl: float
    kl_interval: tuple[float, float]
    tokens: int
    text: str
    groups: tuple[TypedGroup, ...] = field(default=())


def shrunk(facts: Mapping[str, object]) -> list[str]:
    """Return the verdict and the types of a search; nothing for other methods."""
    try:
        found = from_json(ShrunkModel, facts)
    except InvalidDocument:
        return []
    low, high = found.kl_interval
    head = ("weights", "type", "MB", "bits", "expected KL")
    rows = [
        (
            one.name,
            one.type,
            f"{one.bytes / 1e6:.2f}",
            f"{8 * one.bytes / max(one.weights, 1):.2f}",
            f"{one.kl:.5f}",
        )
        for one in found.groups
    ]
    return [
        f"KL        {found.kl:.4f} from the float model, {low:.4f} to {high:.4f}, over "
        f"{found.tokens:,} tokens that no choice has seen",
        f"text      SHA-256 {found.text}",
        *table(head, rows, right="  rrr"),
    ]
