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
class LanguageSizes:
    """Sizes of a language model; None where they are unknown."""

    layers: int | None = None
    cached_layers: int | None = None
    kv_heads: int | None = None
    key_size: int | None = None
    value_size: int | None = None
    width: int | None = None
    vocabulary: int | None = None
    context: int | None = None


@dataclass(frozen=True, slots=True)
class GenerationFacts:
    """The generation of a language model; no slots for any other model.

    Attributes:
        repacked: Bytes of weights that the backend holds twice.
    """

    context: int = 0
    slots: int = 0
    cache: str = ""
    model: LanguageSizes = LanguageSizes()
    repacked: int = 0


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """The model, the golden samples and the generation of a bundle."""

    model: ModelFacts = ModelFacts()
    golden: GoldenFacts = GoldenFacts()
    generation: GenerationFacts = GenerationFacts()


def facts_of(bundle: Bundle) -> BundleFacts:
    """Return the facts of a bundle's manifest."""
    return read_parts(BundleFacts, bundle.raw)
