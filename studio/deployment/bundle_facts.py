"""Facts of a bundle's manifest on which a deployment depends."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import read_parts
from studio.lazy_dataclass import dataclass
from studio.packages import Bundle


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model of a bundle."""

    precision: str | None = ""
    opset: Mapping[str, int] | None = None
    ir_version: int | None = 0


@dataclass(frozen=True, slots=True)
class GoldenFacts:
    """The golden samples of a bundle."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """The model and the golden samples of a bundle."""

    model: ModelFacts = ModelFacts()
    golden: GoldenFacts = GoldenFacts()


def facts_of(bundle: Bundle) -> BundleFacts:
    """Return the facts of a bundle's manifest."""
    return read_parts(BundleFacts, bundle.raw)
