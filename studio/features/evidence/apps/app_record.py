"""The records of an app, in one document that travels to the worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studio.documents.dataclass_json import JsonValue
from studio.features.evidence.records.records import Records
from studio.lazy_dataclass import dataclass

APP_FILE = "records/app.json"


@dataclass(frozen=True, slots=True)
class RecordedPart:
    """One part of the graph.

    Attributes:
        group: ``source``, ``step`` or ``sink``.
        summary: What its type does.
        settings: As they are written, without secrets; variables stay ``${NAME}``.
    """

    name: str
    group: str
    type: str
    summary: str
    inputs: tuple[str, ...]
    settings: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class RecordedModel:
    """One model of an app.

    Attributes:
        file: Seen from the app's folder.
        digest: SHA-256 of the file.
        task: By its ``outputs.toml``; empty without one.
        refer: Probabilities between these two are left to a person; empty without a band.
        variant: Name in the registry (``risk:fp32``); empty where it has none.
        served: Whether it is the model that the dossier is about first.
    """

    name: str
    file: str
    digest: str
    task: str = ""
    refer: tuple[float, ...] = ()
    variant: str = ""
    served: bool = False


@dataclass(frozen=True, slots=True)
class AppRecord:
    """An app as evidence shows it.

    Attributes:
        digest: SHA-256 of ``app.toml``, or of the description in the bundle.
        origin: ``folder`` or ``bundle``.
        pictures: Whether users of the server may see pictures of the sources.
        stored: Events that are kept until they are delivered, and days for delivered ones.
        own_code: Files with Python code of the app.
        limits: Lines about limits in its README.
        no_limits: Why there are none; empty where there are.
        no_test: Why its test cannot run; empty where it can.
    """

    name: str
    title: str
    notice: str
    digest: str
    origin: str
    parts: tuple[RecordedPart, ...]
    models: tuple[RecordedModel, ...]
    pictures: bool
    stored: tuple[float, float]
    own_code: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    no_limits: str = ""
    no_test: str = ""

    def of(self, group: str) -> tuple[RecordedPart, ...]:
        """Return the parts of a group."""
        return tuple(one for one in self.parts if one.group == group)


@dataclass(frozen=True, slots=True)
class FurtherModel:
    """A model of an app besides the first, with its records."""

    name: str
    records: Records


@dataclass(frozen=True, slots=True)
class AppMaterial:
    """Material of the work about an app.

    Attributes:
        folder: Folder of the app; None for a version, whose test stays with its maker.
    """

    record: AppRecord
    further: tuple[FurtherModel, ...] = ()
    folder: Path | None = None
