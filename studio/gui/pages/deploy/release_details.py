"""The details of a release that the registry keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.documents.dataclass_json import read_parts
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord


@dataclass(frozen=True, slots=True)
class ReleaseDetails:
    """A release as it was recorded when it was deployed, or when it was left.

    Attributes:
        version: None where the record does not tell it.
        reason, error: Why it failed, or why an older version was wanted.
        root: The folder of releases on a machine.
        certificate_file: The certificate of the server, on this computer.
    """

    name: str = ""
    version: int | str | None = None
    variant_name: str = ""
    by: str = ""
    reason: str | None = None
    error: str | None = None
    endpoint: str = ""
    root: str = ""
    fingerprint: str = ""
    certificate_file: str = ""
    token_required: bool = False

    @classmethod
    def of(cls, release: ReleaseRecord) -> ReleaseDetails:
        """Return the details of a release; a value of another form is left out."""
        return read_parts(cls, release.details)
