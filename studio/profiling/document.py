"""A profile with what belongs to it, as ``studio profiles show --json`` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.api import UsageError
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json
from studio.profiling.results import ProfileResult


@dataclass(frozen=True, slots=True)
class VariantQuality:
    """A metric of the variants, by their numbers as texts."""

    title: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProfileDocument(ProfileResult):
    """A profile with its options, and sizes and metrics of its variants.

    What ``studio profile --json`` prints is one as well, without these.

    Attributes:
        at: Time of its record.
        sizes: Bytes of the variants' files, by their numbers as texts.
    """

    at: str = ""
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    model: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    quality: VariantQuality = field(default_factory=VariantQuality)


def read_profile(document: Mapping[str, object]) -> ProfileDocument:
    """Read what ``studio profile --json`` or ``studio profiles show --json`` printed.

    Raises:
        UsageError: when it is no profile.
    """
    try:
        return from_json(ProfileDocument, document)
    except InvalidDocument as error:
        raise UsageError(f"This cannot be read as a profile: {error}") from None
