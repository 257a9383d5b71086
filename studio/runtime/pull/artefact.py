"""A bundle as it is delivered to a board: its manifest, the signature, an order, and its files.

Each file of the bundle has its SHA-256 as its name. The forms of delivery differ in where the
content is: in one archive (``container``) or in a folder (``artefact_folder``).
"""

from __future__ import annotations

from typing import Iterator, Mapping

from ..shared import manifest as form
from ..shared.errors import ReleaseError
from ..shared.manifest import Manifest
from .errors import PullError

ORDER = "order.json"
SMALL = {form.NAME: 16 << 20, form.SIGNATURE: 1 << 20, ORDER: 1 << 20}
"""Names of the members that are read as a whole, with their largest sizes."""

CHUNK = 1 << 20


class Artefact:
    """A bundle that was delivered, whose manifest was read and whose files are all there.

    Attributes:
        manifest: Manifest of the bundle.
        text: The bytes of the manifest as text, which the signature covers.
        signature: Signature of the manifest; empty without one.
        order: Order of an older release in JSON; empty without one.
    """

    def __init__(self, small: Mapping[str, bytes], sizes: Mapping[str, int]) -> None:
        """Read the manifest and compare it with what was delivered.

        Args:
            small: Content of the small members by their names.
            sizes: Bytes of the other members by their names.

        Raises:
            PullError: when it has no manifest, or lacks a file of its bundle.
        """
        if not small[form.NAME]:
            raise PullError("The artefact has no manifest.")
        try:
            self.manifest: Manifest = form.parse(small[form.NAME])
        except ReleaseError as error:
            raise PullError(error.message) from None
        self.text = small[form.NAME].decode("utf-8")
        self.signature = small[form.SIGNATURE].decode("ascii", "replace")
        self.order = small[ORDER].decode("utf-8", "replace")
        for entry in self.manifest.files:
            if sizes.get(entry.digest) != entry.size:
                raise PullError("The artefact lacks the file {}.".format(entry.name))

    def content(self, digest: str) -> Iterator[bytes]:
        """Yield the content of a file of the bundle, in pieces."""
        raise NotImplementedError
