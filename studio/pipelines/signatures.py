"""The signature of a bundle on this computer, held against a file of signers."""

from __future__ import annotations

from pathlib import Path

from studio.api import InvalidData
from studio.packages.bundle import MANIFEST
from studio.runtime.release.intake.signature import signer_of
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.manifest import SIGNATURE

_ARMOUR = "-----BEGIN SSH SIGNATURE-----"


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
        return True, signer_of(signers, content, text)
    except ReleaseError as error:
        return False, error.message
