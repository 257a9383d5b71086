"""Authorisation of releases: manifests signed with SSH keys, checked by the target's OpenSSH.

The signature is what ``ssh-keygen -Y sign -n edgewright`` makes. The keys that a target admits are
in a file of the form of ``allowed_signers`` (see ssh-keygen(1)). One in /etc, which only the
administrator can change, goes before the one among the releases.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ...shared.errors import ReleaseError
from ...shared.files import remove, write_atomically
from ..board import Board
from ..store.layout import SYSTEM_SIGNERS, Layout
from .signers import Signer, signers_in

NAMESPACE = "edgewright"
DOWNGRADES = "edgewright-downgrade"
"""A key whose line says ``namespaces="edgewright"`` signs bundles, and orders no downgrade."""

_MOST_BYTES = 1 << 20
_PATIENCE_S = 30.0


def check(layout: Layout, content: bytes, signature: str) -> str:
    """Check a manifest where the target requires signatures; return its signer, or nothing.

    Raises:
        ReleaseError: when it is unsigned, altered, or not signed by an allowed signer.
    """
    allowed = layout.allowed_signers()
    if allowed is None:
        return ""
    if not signature:
        raise ReleaseError(
            "unsigned",
            "The target requires signed releases, and this bundle is not signed.",
            "Deploy with --sign KEY, or sign the bundle with studio sign.",
        )
    return signer_of(allowed, content, signature)


def check_downgrade(layout: Layout, order: bytes, signature: str) -> None:
    """Check the order of a downgrade where the target requires signatures.

    Otherwise an old bundle, whose signature stays valid, could be deployed again without any key. A
    key that its line limits to the namespace of bundles cannot order one.

    Args:
        order: What has to be signed (see ``lines.order_of``).

    Raises:
        ReleaseError: when no allowed signer of the target has ordered it.
    """
    allowed = layout.allowed_signers()
    if allowed is None:
        return
    if not signature:
        raise ReleaseError(
            "unsigned",
            "The target requires signed releases, and this downgrade is not signed.",
            "Deploy with --sign KEY. A downgrade needs a new signature.",
        )
    signer_of(allowed, order, signature, DOWNGRADES)


def signer_of(allowed: Path, content: bytes, signature: str, namespace: str = NAMESPACE) -> str:
    """Return which of some allowed signers has signed a manifest, or another text.

    Raises:
        ReleaseError: when none of them has, or the manifest was altered.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise ReleaseError(
            "no-ssh-keygen",
            "This target requires signed releases, but has no ssh-keygen to verify them.",
            "Install the OpenSSH client (8.2 or later) on the target.",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "signature")
        with open(path, "w", encoding="ascii", errors="replace") as file:
            file.write(signature)
        # ``verify`` needs the name of the signer, which the signature itself does not contain.
        found = _run([program, "-Y", "find-principals", "-s", path, "-f", str(allowed)], content)
        who = next(iter(found.stdout.decode("utf-8", "replace").splitlines()), "")
        if found.returncode or not who:
            raise _foreign("no allowed signer has signed the bundle", found)
        words = ["-Y", "verify", "-n", namespace, "-I", who, "-s", path, "-f", str(allowed)]
        done = _run([program, *words], content)
        if done.returncode:
            what = "bundle" if namespace == NAMESPACE else "downgrade"
            raise _foreign("the signature of {} does not fit the {}".format(who, what), done)
    return who


def trust(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Set the allowed signers of the target.

    Args:
        request: ``signers``: the content of a file of allowed signers; empty admits any release.

    Raises:
        ReleaseError: when the text names no key, or the administrator has decided it.
    """
    layout = board.layout
    # The administrator's file outranks the user who deploys.
    if SYSTEM_SIGNERS.exists():
        raise ReleaseError(
            "decided", "The allowed signers are set by {} on the target.".format(SYSTEM_SIGNERS)
        )
    text = str(request.get("signers") or "")
    admitted = _admitted(text)
    if not text:
        remove(layout.signers)
    else:
        write_atomically(layout.signers, text.encode("utf-8"))
    names, keys = [one.name for one in admitted], [one.fingerprint for one in admitted]
    board.journal.append("signers", names=names, keys=keys, owner=board.owner)
    return {"signers": names}


def _admitted(text: str) -> list[Signer]:
    lines = [line for line in text.splitlines() if line.strip()]
    wanted = [line for line in lines if not line.split()[0].startswith("#")]
    found = signers_in(text)
    if text and (len(text) > _MOST_BYTES or not wanted or len(found) != len(wanted)):
        raise ReleaseError(
            "bad-signers",
            "Invalid allowed-signers file: each line needs name, key type and key.",
            'A line looks like: ann@desk ssh-ed25519 AAAA... (see "allowed signers" in '
            "ssh-keygen(1)).",
        )
    return found


def _foreign(why: str, done: subprocess.CompletedProcess[bytes]) -> ReleaseError:
    return ReleaseError(
        "foreign-signature",
        "This target refuses the release: {}.".format(why),
        "Sign with an allowed key, or add the key: studio trust --signers FILE",
        done.stderr.decode("utf-8", "replace")[-2000:],
    )


def _run(command: list[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command,
        input=content,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=_PATIENCE_S,
        env=dict(os.environ, LC_ALL="C"),
    )
