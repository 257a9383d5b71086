"""Attachments of an artefact: its signature and its bill of materials, as referrers."""

from __future__ import annotations

from dataclasses import dataclass

from studio_oci.artefacts.contents import canonical, digest_of, text_content
from studio_oci.artefacts.modelpack import IMAGE_MANIFEST, TITLE
from studio_oci.documents import Descriptor
from studio_oci.uploads import BlobContent

SSH_SIGNATURE = "application/vnd.edgewright.bundle.signature.v1"
_EMPTY = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True, slots=True)
class Attachment:
    """Manifest of an attachment, and its blobs."""

    content: bytes
    blobs: tuple[BlobContent, ...]
    kind: str
    name: str

    @property
    def descriptor(self) -> Descriptor:
        """Descriptor of the manifest, for lists of referrers."""
        size = len(self.content)
        notes = {TITLE: self.name}
        return Descriptor(IMAGE_MANIFEST, digest_of(self.content), size, notes, self.kind)


def attachment(subject: Descriptor, kind: str, name: str, content: bytes) -> Attachment:
    """Return an attachment; equal contents give equal bytes, so that none is there twice."""
    empty = text_content("empty config", b"{}")
    layer = text_content(name, content)
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "artifactType": kind,
        "config": Descriptor(_EMPTY, empty.digest, empty.size).to_json(),
        "layers": [Descriptor(kind, layer.digest, layer.size, {TITLE: name}).to_json()],
        "subject": subject.to_json(),
        "annotations": {TITLE: name},
    }
    return Attachment(canonical(document), (empty, layer), kind, name)
