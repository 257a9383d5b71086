"""The packager: one Mender artefact of a bundle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import Kind, Option, Parcel, Progress, StudioError, UsageError
from studio_mender.artefact import MODULE, ArtefactFacts, write_artefact
from studio_mender.signature import signer_of

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
_ODD = re.compile(r"[^A-Za-z0-9._]+")
_LONGEST_NAME = 60


class MenderPackager:
    """Makes the Mender artefact of a bundle."""

    id = "mender"
    title = "Mender artefact"
    options: Sequence[Option] = (
        Option(
            "device_type",
            title="Types of boards",
            required=True,
            help="Types of boards for which Mender offers it, with commas between them.",
        ),
        Option(
            "artefact_name",
            default="",
            title="Name",
            help="Name at the server (default: MODEL-VERSION-DIGEST).",
        ),
        Option(
            "key",
            Kind.FILE,
            title="Signing key",
            help="Private key (PEM) that signs it as Mender does: RSA, or EC on P-256.",
        ),
    )

    def build(
        self, parcel: Parcel, output: Path, options: Mapping[str, object], progress: Progress
    ) -> Mapping[str, object]:
        """Write the artefact.

        Returns:
            ``path``, ``bytes``, ``name``, ``device_types``, ``signed``, ``release`` (the digest).

        Raises:
            UsageError: for a type, a name or a key that Mender cannot use.
            StudioError: when the artefact cannot be written.
        """
        devices = device_types(str(options["device_type"]))
        name = artefact_name(parcel, str(options["artefact_name"] or ""))
        sign = signer_of(Path(str(options["key"])).expanduser()) if options["key"] else None
        provides = {f"{MODULE}.release": parcel.digest, f"{MODULE}.version": str(parcel.version)}
        progress.log("Writing the Mender artefact")
        output.mkdir(parents=True, exist_ok=True)
        path = output / f"{name}.mender"
        try:
            write_artefact(path, ArtefactFacts(name, devices, provides), parcel.members, sign)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StudioError(f"The artefact cannot be written: {error.strerror}.") from None
        return {
            "path": str(path),
            "bytes": path.stat().st_size,
            "name": name,
            "device_types": list(devices),
            "signed": sign is not None,
            "release": parcel.digest,
        }


def device_types(text: str) -> tuple[str, ...]:
    """Return the types of boards in a list with commas.

    Raises:
        UsageError: for a type that no board has.
    """
    found = tuple(dict.fromkeys(one.strip() for one in text.split(",")))
    for one in found:
        if not _DEVICE.fullmatch(one):
            raise UsageError(
                f"Invalid type of board {one!r}.",
                hint="For example raspberrypi4,qemux86-64",
            )
    return found


def artefact_name(parcel: Parcel, wanted: str) -> str:
    """Return the name of an artefact, which is that of its file too.

    Raises:
        UsageError: for a name that is no plain word.
    """
    if wanted:
        if not _NAME.fullmatch(wanted):
            raise UsageError(
                f"Invalid name of an artefact {wanted!r}.",
                hint="Letters, digits, dots, plus and minus, such as digits-3.",
            )
        return wanted
    model = _ODD.sub("-", parcel.name)[:_LONGEST_NAME].strip("-.") or "model"
    return f"{model}-{parcel.version}-{parcel.digest[:12]}"
