"""The signature of a bundle on this computer, held against a file of signers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from studio.api import InvalidData
from studio.packages.bundle import MANIFEST
from studio.runtime.release import signature
from studio.runtime.release.errors import ReleaseError
from studio.runtime.release.layout import Layout
from studio.runtime.release.manifest import SIGNATURE

_ARMOUR = "-----BEGIN SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class _Signers:
    """The one thing of a target's layout that the check asks for."""

    signers: Path


def signed_by(bundle: Path, signers: Path | None) -> tuple[bool, str]:
    """Whether a bundle is signed, and who signed it, or why it does not count.

    Args:
        signers: Allowed signers, as in ssh-keygen(1); None for anybody, who is not named then.

    Raises:
        InvalidData: when the file of signers is not there.
    """
    if signers is not None and not signers.is_file():
        raise InvalidData(f"The file of signers {signers} does not exist.")
    try:
        text = (bundle / SIGNATURE).read_text(encoding="ascii")
        content = (bundle / MANIFEST).read_bytes()
    except (OSError, UnicodeDecodeError):
        return False, "not signed"
    if signers is None:
        return text.startswith(_ARMOUR), "signed; nobody asked by whom"
    try:
        return True, signature.check(cast(Layout, _Signers(signers)), content, text)
    except ReleaseError as error:
        return False, error.message
