"""Artefacts for boards on which SWUpdate polls: ours in one of its own, signed for it (CMS).

Members: ``sw-description`` and its signature, ours as ``release.swu``, and the script that hands it
to the release machine. SWUpdate verifies the signature and the digests of both; the signature of
the bundle is verified after that, by the release machine.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import IO

from studio.api import Parcel, StudioError, UsageError
from studio_hawkbit.container import add, board_section, digest_of, finish, name_of, write

RELEASE, SCRIPT = "release.swu", "hand-over.sh"
_ROOT = re.compile(r"(/[A-Za-z0-9._-]+)+")
_LARGEST_KEY = 1 << 16

_SCRIPT_TEXT = """\
#!/bin/sh
# SWUpdate has verified the release and put it here; the release machine takes it from here.
exec python3 {root}/pull/edgewright.pyz pull take --root {root} {root}/pull/incoming.swu
"""


def write_for_swupdate(
    parcel: Parcel, path: Path, hardware: str, order: bytes, root: str, signer: tuple[Path, Path]
) -> None:
    """Write the artefact of a bundle for SWUpdate.

    Args:
        root: Folder of releases on the boards.
        signer: Key and certificate, PEM files.

    Raises:
        UsageError: when the folder or the key cannot be used.
    """
    if not _ROOT.fullmatch(root) or ".." in root.split("/"):
        raise UsageError(f"{root!r} is no folder of releases.", hint="Its form: /var/lib/edge")
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        inner, script = Path(aside, RELEASE), Path(aside, SCRIPT)
        write(parcel, inner, hardware, order)
        script.write_text(_SCRIPT_TEXT.format(root=root))
        text = _description(parcel, hardware, root, inner, script).encode()
        with path.open("wb") as target:
            add(target, "sw-description", text)
            add(target, "sw-description.sig", _signature(text, *signer))
            _add_file(target, inner)
            _add_file(target, script)
            finish(target)


def _add_file(target: IO[bytes], file: Path) -> None:
    add(target, file.name, file)


def _description(parcel: Parcel, hardware: str, root: str, inner: Path, script: Path) -> str:
    name = name_of(parcel)
    model, revision = board_section(hardware)
    digests = [digest_of(one, "sha256") for one in (inner, script)]
    lines = [
        "software =",
        "{",
        f'  version = "{name.text}";',
        f'  description = "release {name.digest}";',
        "  reboot = false;",
        "  bootloader_transaction_marker = false;",
        "  bootloader_state_marker = false;",
        f"  {model}:",
        "  {",
        f'    hardware-compatibility: [ "{revision}" ];',
        "    images: ( {",
        f'      filename = "{RELEASE}";',
        '      type = "rawfile";',
        f'      path = "{root}/pull/incoming.swu";',
        f'      sha256 = "{digests[0]}";',
        "    } );",
        "    scripts: ( {",
        f'      filename = "{SCRIPT}";',
        '      type = "postinstall";',
        f'      sha256 = "{digests[1]}";',
        "    } );",
        "  };",
        "}",
        "",
    ]
    return "\n".join(lines)


def _signature(text: bytes, key: Path, certificate: Path) -> bytes:
    """Return the detached signature of a text (CMS, DER)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.serialization import pkcs7

    try:
        signer = serialization.load_pem_private_key(_read(key), None)
        shown = x509.load_pem_x509_certificate(_read(certificate))
        builder = pkcs7.PKCS7SignatureBuilder().set_data(text)
        builder = builder.add_signer(shown, signer, hashes.SHA256())  # type: ignore[arg-type]
        options = [
            pkcs7.PKCS7Options.DetachedSignature,
            pkcs7.PKCS7Options.Binary,
            pkcs7.PKCS7Options.NoCapabilities,
        ]
        return builder.sign(serialization.Encoding.DER, options)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"The key {key} and the certificate {certificate} cannot sign an artefact.",
            hint="Both are PEM files: an RSA or EC key without a password, and its certificate.",
        ) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_KEY)
    except OSError as error:
        raise StudioError(f"{path} cannot be read: {error.strerror}.") from None
