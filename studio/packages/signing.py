"""Signatures of bundles, made with the user's SSH key so that plain OpenSSH can verify them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from studio.api import InvalidData, StudioError, Unavailable, UsageError
from studio.jobs import Job
from studio.packages.bundle import MANIFEST, Bundle
from studio.packages.results import SignResult
from studio.packages.step import SignOptions
from studio.runtime.release.intake.signature import NAMESPACE, signer_of
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.manifest import SIGNATURE

_PATIENCE_S = 60.0


def signature_of(content: bytes, key: Path, namespace: str = NAMESPACE) -> str:
    """Return the SSHSIG of a manifest's bytes, or of other bytes in another namespace.

    Args:
        key: A private key; or a public one, whose private half the SSH agent holds.

    Raises:
        StudioError: when the key cannot be used.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Unavailable("Signing needs ssh-keygen, which is not installed.")
    key = key.expanduser()
    if not key.is_file():
        raise StudioError(f"No such file: {key}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "manifest.json")
        path.write_bytes(content)
        command = [program, "-Y", "sign", "-n", namespace, "-f", str(key), str(path)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE_S,
                check=False,
                # Nobody is here to type a passphrase.
                env={**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"},
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise StudioError(f"The key {key} did not sign within {_PATIENCE_S:g} s.") from None
        if done.returncode:
            raise _unusable(key, done.stderr.decode("utf-8", "replace"))
        return path.with_name(path.name + ".sig").read_text("ascii")


def sign(options: SignOptions, job: Job) -> SignResult:
    """Sign a bundle's folder: for boards, for OpenSSF's tools, or for both."""
    if not options.key and not options.openssf:
        raise UsageError("Missing signing key.", hint="Pass --key or --openssf.")
    bundle = Bundle.open(options.bundle)
    signature = openssf = None
    if options.key:
        text = signature_of(bundle.text.encode(), options.key)
        signature = str(write_signature(bundle.folder, text))
    if options.openssf:
        from studio.packages.openssf import export

        openssf = str(export(bundle, options.openssf, options.out))
    return SignResult(str(bundle.folder), bundle.digest, signature, openssf)


def write_signature(folder: Path, text: str) -> Path:
    """Put a signature into a bundle's folder.

    Raises:
        StudioError: when it cannot be written.
    """
    path = folder / SIGNATURE
    try:
        path.write_text(text, "ascii")
    except OSError as error:
        raise StudioError(
            f"{path} cannot be written: {error.strerror}.",
            hint="Sign during the deployment: studio deploy --sign KEY",
        ) from None
    return path


def _unusable(key: Path, said: str) -> StudioError:
    if "passphrase" in said:
        return StudioError(
            f"The key {key} is protected by a passphrase.",
            hint=f"Run ssh-add {key}, and name {key}.pub instead.",
            detail=said,
        )
    if "agent" in said:
        return StudioError(
            f"The SSH agent does not hold the private half of {key}.",
            hint="Run: ssh-add, with the private key.",
            detail=said,
        )
    return StudioError(f"{key} is not a key that can sign.", detail=said)


_ARMOUR = "-----BEGIN SSH SIGNATURE-----"


def signed_by(bundle: Path, signers: Path | None) -> tuple[bool, str]:
    """Return the signer of a bundle, or why its signature does not count.

    Args:
        signers: Allowed signers, as in ssh-keygen(1); None accepts any signer, without a name.

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
        return text.startswith(_ARMOUR), "signed; signer not checked"
    try:
        return True, signer_of(signers, content, text)
    except ReleaseError as error:
        return False, error.message
