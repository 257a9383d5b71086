"""Settings of the pull client, and its secret: two files below the folder of releases."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Mapping, NamedTuple, Optional
from urllib.parse import quote, urlsplit

from ..shared.files import remove, write_atomically
from ..shared.records import read
from .errors import PullError

FOLDER = "pull"
TARGET, GATEWAY = "TargetToken", "GatewayToken"
"""Words of the Authorization header: a token of one board, or of all boards of a tenant."""

OWN, SWUPDATE = "edgewright", "swupdate"
"""Programs that poll: this runtime's, or SWUpdate run by it."""

MENDER, GREENGRASS = "mender", "greengrass"
"""Programs that bring releases to this board, and call this runtime with them."""

BRINGERS = (MENDER, GREENGRASS)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_MOST_BYTES = 1 << 16
_LARGEST = 4 << 30


class PullSettings(NamedTuple):
    """Settings of the pull client.

    Attributes:
        server: Address of the server, with its path before the tenant.
        tenant: Tenant of the server.
        id: Name of this board at the server (``controllerId``).
        token_kind: ``TargetToken`` or ``GatewayToken``.
        ca: Whether the server's certificate is signed by the authority in ``ca.pem``.
        plain: Whether ``http://`` is admitted.
        unsigned: Whether releases without an allowed signer are installed.
        hardware: Hardware that the board reports (``hw_boardname``).
        revision: Revision of the hardware (``hw_revision``).
        group: Group that the board reports, for filters of the server.
        poll_s: Seconds between two polls; 0 for the server's own.
        most_bytes: Largest artefact.
        soak_s: Seconds for which a new release is watched.
        trial: Whether a new release is compared with the previous one for that time.
        rule: Values of the trial's rule that differ from the defaults.
        host: Address on which a first release is served.
        port: Port on which a first release is served.
        python: Interpreter of a first release; empty for the client's own.
        model: Name of the only model that is installed; empty for any.
        client: Program that polls, ``edgewright`` or ``swupdate``, or that brings releases,
            ``mender`` or ``greengrass``; these have no server here.
    """

    server: str
    tenant: str
    id: str
    token_kind: str = TARGET
    ca: bool = False
    plain: bool = False
    unsigned: bool = False
    hardware: str = "default"
    revision: str = "default"
    group: str = "default"
    poll_s: float = 0.0
    most_bytes: int = 1 << 30
    soak_s: float = 10.0
    trial: bool = False
    rule: Optional[Mapping[str, object]] = None
    host: str = ""
    port: int = 8477
    python: str = ""
    model: str = ""
    client: str = OWN

    @property
    def base(self) -> str:
        """Path of this board at the server."""
        path = urlsplit(self.server).path.rstrip("/")
        tenant, name = quote(self.tenant, safe=""), quote(self.id, safe="")
        return "{}/{}/controller/v1/{}".format(path, tenant, name)


class PullFolder:
    """The files of the pull client below a folder of releases."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER

    @property
    def settings(self) -> Path:
        """Settings without a secret."""
        return self.folder / "settings.json"

    @property
    def token(self) -> Path:
        """Secret that is sent to the server, readable by its owner only."""
        return self.folder / "token"

    @property
    def authority(self) -> Path:
        """Certificate of the authority that the operator has named."""
        return self.folder / "ca.pem"

    @property
    def state(self) -> Path:
        """The action under way and what became of it."""
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        """Held while a client polls or installs."""
        return self.folder / "lock"

    @property
    def application(self) -> Path:
        """The zip application that the service runs; no cleanup of releases removes it."""
        return self.folder / "edgewright.pyz"

    def make(self) -> None:
        """Create the folder, which only its owner may read."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(str(self.folder), 0o700)

    def write(self, settings: PullSettings, token: str, authority: str = "") -> None:
        """Write settings, secret and certificate authority.

        Raises:
            PullError: when one of them cannot be used.
        """
        checked(settings)
        check_token(token)
        self.make()
        if token:
            write_atomically(self.token, token.encode("ascii") + b"\n", 0o600)
        else:
            remove(self.token)
        if authority:
            write_atomically(self.authority, authority.encode("ascii"), 0o600)
        content = json.dumps(settings._asdict(), sort_keys=True, indent=1) + "\n"
        write_atomically(self.settings, content.encode(), 0o600)

    def load(self) -> PullSettings:
        """Read the settings.

        Raises:
            PullError: when there are no usable ones.
        """
        try:
            found = read(PullSettings, json.loads(_content(self.settings)))
        except FileNotFoundError:
            raise PullError("No pull client is set up in {}.".format(self.root)) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            sentence = "The settings {} cannot be used: {}."
            raise PullError(sentence.format(self.settings, error)) from None
        return checked(found)

    def secret(self) -> str:
        """Return the token; empty without a file.

        Raises:
            PullError: when others may read the file, or no header can carry its content.
        """
        try:
            mode = os.stat(str(self.token)).st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise PullError(
                    "The token file {} can be read by others: its mode must be 600.".format(
                        self.token
                    )
                )
            text = _content(self.token).decode("ascii").strip()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError):
            raise PullError("The token file {} cannot be read.".format(self.token)) from None
        check_token(text)
        return text


def checked(settings: PullSettings) -> PullSettings:
    """Return the settings if they can be used.

    Raises:
        PullError: naming the first one that cannot.
    """
    if settings.client not in BRINGERS:
        _check_server(settings)
    for title, text in (("tenant", settings.tenant), ("name of the board", settings.id)):
        if not _NAME.fullmatch(text):
            raise PullError("The {} {!r} has characters that are not allowed.".format(title, text))
    if settings.token_kind not in (TARGET, GATEWAY):
        raise PullError("The kind of token is {} or {}.".format(TARGET, GATEWAY))
    if settings.client not in (OWN, SWUPDATE, *BRINGERS):
        names = ", ".join((OWN, SWUPDATE, *BRINGERS))
        raise PullError("The client is one of these: {}.".format(names))
    if not 0 < settings.most_bytes <= _LARGEST:
        raise PullError("The largest artefact is between 1 byte and 4 GiB.")
    if not 0 <= settings.poll_s <= 86400 or not 0 <= settings.soak_s <= 3600:
        raise PullError("Polls come at least once a day, and a release is watched for up to 1 h.")
    if not 0 < settings.port < 65536:
        raise PullError("The port {} does not exist.".format(settings.port))
    return settings


def check_token(token: str) -> None:
    """Raise PullError for a token that no header can carry."""
    if len(token) > 4096 or not all("!" <= one <= "~" for one in token):
        raise PullError("The token has spaces or odd characters.")


def _check_server(settings: PullSettings) -> None:
    try:
        parts = urlsplit(settings.server)
        usable = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        usable = False
    printable = all(33 <= ord(one) <= 126 for one in settings.server)
    if not usable or not printable or parts.query or parts.fragment:
        raise PullError("{!r} is no address of a server.".format(settings.server[:200]))
    if parts.scheme == "http" and not settings.plain:
        raise PullError("The server must be reached over https, unless plain http is allowed.")
    if parts.scheme not in ("http", "https"):
        raise PullError("The server is reached over https, not {}.".format(parts.scheme))


def _content(path: Path) -> bytes:
    with open(str(path), "rb") as file:
        return file.read(_MOST_BYTES)
