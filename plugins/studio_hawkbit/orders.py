"""Orders of an older release for boards, which take none without: signed for each step back.

The studio cannot see what a board served last. So an artefact has one order for each release at
the server. The text of an order is that of a downgrade over SSH.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from studio.api import StudioError, UsageError
from studio_hawkbit.server import Software

_NAMESPACE = "edgewright-downgrade"
_PATIENCE_S = 60.0
_MOST = 100
"""Releases from which there is a step back, the newest."""


@dataclass(frozen=True, slots=True)
class FleetOrder:
    """An order to go back to a release.

    Attributes:
        digest: The release to go back to.
        reason: Why, in one line.
        origins: Releases from which boards may go back.
        key: SSH key that signs; None for boards that take unsigned releases.
    """

    digest: str
    reason: str
    origins: tuple[str, ...]
    key: Path | None

    @property
    def mark(self) -> str:
        """Eight digits that differ where the orders do."""
        words = [self.reason, *self.origins, "signed" if self.key else ""]
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:8]

    def content(self) -> bytes:
        """Return the member ``order.json`` of an artefact."""
        found: dict[str, object] = {"downgrade": self.reason}
        if self.key is not None:
            found["orders"] = {one: _signed(self._text(one), self.key) for one in self.origins}
        return json.dumps(found, sort_keys=True).encode()

    def _text(self, origin: str) -> bytes:
        """Return what is signed: one step, from one release to another."""
        order = {"downgrade": self.digest, "from": origin, "reason": self.reason}
        text = json.dumps(order, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return (text + "\n").encode()


def order_to(
    digest: str, name: str, reason: str, known: list[Software], key: Path | None
) -> FleetOrder | None:
    """Return the order to go back to a release; None without a reason.

    Args:
        known: Artefacts at the server, the newest last.
    """
    reason = " ".join(reason.split())
    if not reason:
        return None
    others = [one.release.digest for one in known if one.release and one.release.name == name]
    origins = [one for one in dict.fromkeys(others) if one != digest]
    return FleetOrder(digest, reason, tuple(sorted(origins[-_MOST:])), key)


def _signed(content: bytes, key: Path) -> str:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise StudioError("Signing needs ssh-keygen, which is not installed.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "order")
        path.write_bytes(content)
        try:
            subprocess.run(
                [program, "-Y", "sign", "-n", _NAMESPACE, "-f", str(key.expanduser()), str(path)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE_S,
                check=True,
                env={**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"},
                start_new_session=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            detail = getattr(error, "stderr", None) or b""
            raise UsageError(
                f"The key {key} cannot sign the order of an older release.",
                hint="It must be a private SSH key without a passphrase, or one in the agent.",
                detail=detail.decode("utf-8", "replace")[-500:],
            ) from None
        return path.with_name("order.sig").read_text("ascii")
