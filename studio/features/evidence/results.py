"""Results of the steps of evidence, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import JsonValue, optional
from studio.lazy_dataclass import dataclass

PRESENT, ASKED, MISSING = "present", "asked", "missing"
"""States of a section: from records or an answer, open for a person to answer, or neither."""

RECOMPUTED, RUN_AGAIN, DIFFERS, NOT_POSSIBLE = "recomputed", "run again", "differs", "not possible"
"""Outcomes of the verification of a figure."""

OTHER_VERSION = "not compared, as it was written with"
"""Start of what is reported of a document that only its own version writes byte by byte."""


@dataclass(frozen=True, slots=True)
class AssessedVersion:
    """What evidence is about: a variant of a model, and its version or target where one was named.

    Attributes:
        digest: SHA-256 of the model's file.
        version: Number of the version; None for a variant that was not packaged.
        bundle: Digest of the version's manifest; empty without one.
        target: Name of the target; empty without one.
        app: Name of the app that runs the model; empty without one.
    """

    model: str
    variant: str
    digest: str
    version: int | None = None
    bundle: str = ""
    target: str = ""
    app: str = optional("")

    @property
    def title(self) -> str:
        """The name of the version, or of the variant, with the app that runs it."""
        name = f"{self.model}:{self.variant if self.version is None else self.version}"
        if self.app:
            name = f"app {self.app} with {name}"
        return f"{name} on {self.target}" if self.target else name


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file of an evidence folder.

    Attributes:
        path: Name below the folder, with slashes.
        digest: SHA-256, hexadecimal.
    """

    path: str
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Section:
    """A subject of the dossier with its state.

    Attributes:
        id: Identifier of the subject (``quality.groups``).
        state: ``present``, ``asked`` or ``missing``.
        note: Where it comes from, who is to answer, or what would make it present.
    """

    id: str
    title: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a figure.

    Attributes:
        model, data: SHA-256 of the model's file and of the data; empty where it has none.
        code: Version of the program that computed it.
        run: What recorded it (``evaluate``), and the number of its run where there is one.
        at: UTC time of the run; empty where it was computed for this folder.
    """

    model: str = ""
    data: str = ""
    code: str = ""
    run: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the dossier, with what it can be computed again from.

    Attributes:
        id: Unique in the folder (``quality.top1``).
        low, high: 95 % interval; None without one.
        unit: Unit of the value; empty for a count or a share.
        file: File of the folder that the value follows from.
        method: How it follows (``studio.features.evidence.recompute``).
        arguments: Arguments of the method.
        section: The section with the figure.
    """

    id: str
    title: str
    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    count: int | None = None
    file: str = ""
    method: str = ""
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    origin: Origin = Origin()
    section: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceResult:
    """A written evidence folder.

    Attributes:
        files: Names of its files.
        digest: SHA-256 of its list of files.
        output: Path of the folder; empty before it was moved there.
        signed: Whether its list is signed.
        notes: What was left out, and why.
    """

    subject: AssessedVersion
    sections: tuple[Section, ...]
    files: tuple[str, ...]
    digest: str
    figures: int = 0
    output: str = optional("")
    signed: bool = optional(False)
    seconds: float = optional(0.0)
    notes: tuple[str, ...] = optional(())

    def count(self, state: str) -> int:
        """Return the number of sections in a state."""
        return sum(section.state == state for section in self.sections)


@dataclass(frozen=True, slots=True)
class Alteration:
    """A file that is not as it was listed.

    Attributes:
        what: ``changed``, ``missing``, ``not listed``, ``a link``, or why it does not follow.
    """

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class CheckedFigure:
    """The verification of a figure.

    Attributes:
        state: ``recomputed`` (from the records in the folder), ``run again`` (with the model and
            the data), ``differs`` or ``not possible``.
        found: The value that was computed now; None where it was not possible.
        why: Reason for ``not possible``.
    """

    id: str
    state: str
    value: float
    found: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The verification of an evidence folder.

    Attributes:
        recomputed: Number of figures that were computed again with equal values.
        signer: Who signed the list; empty for a list without a signature, or without keys to
            check it by.
        signature: ``valid`` (by an allowed signer), ``unnamed`` (it fits, by a key that no
            allowed signer has), ``not valid`` or ``none``.
        key: Type and fingerprint of the key of a signature that fits.
        notes: What could not be run again, and why.
    """

    folder: str
    subject: AssessedVersion
    digest: str
    figures: tuple[CheckedFigure, ...]
    recomputed: int
    altered: tuple[Alteration, ...]
    signature: str = "none"
    signer: str = ""
    key: str = optional("")
    run_again: int = 0
    notes: tuple[str, ...] = optional(())

    @property
    def differing(self) -> tuple[CheckedFigure, ...]:
        """The figures whose values do not follow from what made them."""
        return tuple(one for one in self.figures if one.state == DIFFERS)

    @property
    def holds(self) -> bool:
        """Whether nothing was altered, and each figure was computed with an equal value."""
        return not self.altered and self.recomputed == len(self.figures)
