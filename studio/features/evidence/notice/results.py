"""Result of the step ``evidence-notice``."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import JsonValue, optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class NoticeResult:
    """The notice of a model, an app or a version.

    Attributes:
        title: What it is about.
        notice: As the server answers at ``/edgewright/about``.
        page: As it answers at ``/about``, HTML.
        open: Questions of the form whose answers would be shown.
        version: Number of the version whose bundle has it; None before packaging.
        qr: The address as a QR code, SVG; empty without an address.
        output: Folder with the files; empty where none was wanted.
    """

    title: str
    notice: Mapping[str, JsonValue]
    page: str
    open: tuple[str, ...]
    version: int | None = None
    qr: str = optional("")
    files: tuple[str, ...] = optional(())
    output: str = optional("")
