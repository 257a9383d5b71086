"""The connector to boards over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Kind, Option, Progress, TargetSpec
from studio.api.discovery import Candidate
from studio_ssh.address import Address
from studio_ssh.channel import SshChannel
from studio_ssh.connection import connect
from studio_ssh.discovery import find


class SshTarget:
    """Boards with an SSH server and python3."""

    id = "ssh"
    title = "Board over SSH"
    schemes: tuple[str, ...] = ("ssh",)
    options: Sequence[Option] = (
        Option(
            "key_file",
            Kind.FILE,
            title="Key file",
            help="Private key file (default: keys of the SSH agent and ~/.ssh).",
        ),
        Option(
            "certificate_file",
            Kind.FILE,
            title="Certificate",
            help="Certificate of the key (default: KEY-cert.pub next to the key).",
            advanced=True,
        ),
        Option(
            "jump",
            Kind.TEXT,
            title="Jump hosts",
            help="Jump hosts as user@host:port, separated by commas (default: from ~/.ssh/config).",
            advanced=True,
        ),
        Option("root", Kind.TEXT, title="Folder", help="Folder for releases on the board."),
    )

    def connect(self, target: TargetSpec, progress: Progress) -> SshChannel:
        """Open a channel.

        Raises:
            UnknownHost: at first contact, with the key to be confirmed.
            ChangedHost: when the key is not the confirmed one.
            TargetError: when it does not answer or refuses the login.
        """
        address = Address.parse(target.url)
        progress.log(f"Connecting to {address} as {address.user}")
        transport = connect(target, Path("~/.ssh/known_hosts").expanduser())
        return SshChannel(transport, str(address))

    def find(
        self, ways: Sequence[str], subnet: str, seconds: float, progress: Progress
    ) -> Sequence[Candidate]:
        """Look in ``~/.ssh/config``, for announcements, or in a subnet."""
        return find(ways, subnet, seconds, progress)

    def default_root(self, target: TargetSpec) -> str:
        return target.settings.get("root") or "~/.edgewright"
