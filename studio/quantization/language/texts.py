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
        kl: What the search expected it to add to the divergence; None without a search.
    """

    name: str
    weights: int
    type: str
    bytes: int
    kl: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectedSize:
    """Another size of the file with the divergence that the search expects.

    Attributes:
        kl: In the scale of the file that was written and judged.
    """

    bytes: int
    kl: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrunkModel:
    """Facts of new types.

    Attributes:
        kl: Mean divergence from the model before, on text that no choice has seen; None without
            a text.
        kl_interval: At 95 %.
        tokens: Number that were judged.
        text: SHA-256 of the text.
        sizes: What other budgets would give, from the smallest.
    """

    groups: tuple[TypedGroup, ...]
    kl: float | None = None
    kl_interval: tuple[float, float] = field(default=(0.0, 0.0))
    tokens: int = 0
    text: str = ""
    sizes: tuple[ExpectedSize, ...] = ()


def shrunk(facts: Mapping[str, object]) -> list[str]:
    """Return the verdict and the types of a language model; nothing for other models."""
    try:
        found = from_json(ShrunkModel, facts)
    except InvalidDocument:
        return []
    rows = [_row(one) for one in found.groups]
    head = ("weights", "type", "MB", "bits", "expected KL")[: len(rows[0]) if rows else 0]
    return [*_verdict(found), *table(head, rows, right="  rrr"[: len(head)]), *_sizes(found)]


def _sizes(found: ShrunkModel) -> list[str]:
    rows = [(f"{one.bytes / 1e6:.1f} MB", f"{one.kl:.4f}") for one in found.sizes]
    return ["", *table(("other sizes", "expected KL"), rows, right="rr")] if rows else []


def _verdict(found: ShrunkModel) -> list[str]:
    if found.kl is None:
        return []
    low, high = found.kl_interval
    return [
        f"KL        {found.kl:.4f} from the float model, {low:.4f} to {high:.4f}, over "
        f"{found.tokens:,} tokens that no choice has seen",
        f"text      SHA-256 {found.text}",
    ]


def _row(group: TypedGroup) -> tuple[str, ...]:
    bits = 8 * group.bytes / max(group.weights, 1)
    row = (group.name, group.type, f"{group.bytes / 1e6:.2f}", f"{bits:.2f}")
    return row if group.kl is None else (*row, f"{group.kl:.5f}")
