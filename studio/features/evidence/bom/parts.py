"""The facts that every bill of materials states, whatever its format."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from studio.features.evidence.results import AssessedVersion, Figure
from studio.lazy_dataclass import dataclass
from studio.models.results import Terminal

_NAMESPACE = uuid.UUID("6a2f3d0e-5f57-5d1a-8e39-0b7f3f6f1c42")


@dataclass(frozen=True, slots=True)
class DataPart:
    """A dataset that the model was measured on, or calibrated with.

    Attributes:
        role: ``evaluation`` or ``calibration``.
        digest: SHA-256 of the file or of the folder's listing.
        samples: Number of used samples; None where it is not known.
    """

    name: str
    role: str
    digest: str
    samples: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class AppPart:
    """The app that runs the model.

    Attributes:
        digest: SHA-256 of its description.
        further: Names and SHA-256 of its models besides the first.
        own_code: Files with Python code of its own.
    """

    name: str
    title: str
    digest: str
    further: tuple[tuple[str, str], ...] = ()
    own_code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelBom:
    """The model with its data, its figures and what persons have written about it.

    Attributes:
        task: ``classification``, ``detection`` ...; empty where it is not known.
        parents: Names and SHA-256 of the variants that it was made of, the nearest first.
        answers: Texts of persons, by subject.
        groups: Figures by group; ``quality`` those of all samples.
        app: The app that runs the model; None for a model alone.
    """

    subject: AssessedVersion
    created: str
    format: str
    precision: str
    bytes: int
    licence: str
    task: str
    inputs: tuple[Terminal, ...]
    outputs: tuple[Terminal, ...]
    operators: tuple[str, ...]
    data: tuple[DataPart, ...]
    parents: tuple[tuple[str, str], ...]
    quality: tuple[Figure, ...]
    groups: tuple[Figure, ...]
    energy: tuple[Figure, ...]
    answers: Mapping[str, str]
    tools: Mapping[str, str]
    app: AppPart | None = None

    @property
    def name(self) -> str:
        """Name of the model with its variant."""
        return f"{self.subject.model}:{self.subject.variant}"

    @property
    def version(self) -> str:
        """Number of the version; the start of the digest for a variant without one."""
        number = self.subject.version
        return self.subject.digest[:12] if number is None else str(number)

    def reference(self, kind: str, name: str) -> str:
        """Return an identifier within the document that depends on nothing but the content."""
        return f"{kind}-{uuid.uuid5(_NAMESPACE, f'{self.subject.digest}/{kind}/{name}')}"

    def identity(self, of: str) -> uuid.UUID:
        """Return the identifier of a document about this model."""
        return uuid.uuid5(_NAMESPACE, f"{self.subject.digest}/{self.created}/{of}")


def number(value: float) -> str:
    """Return a figure with the digits that give the same number again."""
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
