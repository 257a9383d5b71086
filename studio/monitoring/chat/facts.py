"""Facts of a model that can be talked to."""

from __future__ import annotations

from studio.documents.dataclass_json import read_parts
from studio.lazy_dataclass import dataclass
from studio.models.results import LanguageFacts
from studio.registry import VariantRecord


@dataclass(frozen=True, slots=True)
class _Summary:
    """The part of a variant's summary that only language models have."""

    language: LanguageFacts | None = None


def text_facts(variant: VariantRecord) -> LanguageFacts | None:
    """Return the facts of a language model; None for any other model."""
    return read_parts(_Summary, variant.summary).language
