"""Where a board publishes its state to: one file that only its owner may read."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from pathlib import Path
from typing import Dict, Mapping, NamedTuple
from urllib.parse import urlsplit

from ..shared.errors import LoadError
from ..shared.records import read

FILE = "fleet.json"
"""Name of the file below the folder of a root's credentials."""

FOLDER = "fleet"
"""Name of the folder below that of a server for what waits to be published."""

MOST_BYTES = 64 * 1024
MOST_LABELS = 16
MOST_CHARACTERS = 64
SHORTEST_S, LONGEST_S = 1.0, 86_400.0

BOARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
"""A board's name is one level of a subject or a topic, so it has no dot and no slash."""

TOPIC = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+){0,7}", re.ASCII)
_LABEL = re.compile(r"[a-z][a-z0-9_.-]{0,31}", re.ASCII)
NATS, MQTT, COLLECTOR = "nats", "mqtt", "collector"
_SCHEMES = {
    "nats": (NATS, False, 4222),
    "tls": (NATS, True, 4222),
    "mqtt": (MQTT, False, 1883),
    "mqtts": (MQTT, True, 8883),
    "http": (COLLECTOR, False, 4318),
    "https": (COLLECTOR, True, 4318),
}
_ADDRESS = (
    "The address {!r} is not one such as nats://host:4222, mqtts://host or, for a collector, "
    "http://host:4318."
)


class BrokerAddress(NamedTuple):
    """An address of a broker, or of a collector of OpenTelemetry.

    Attributes:
        kind: ``NATS``, ``MQTT`` or ``COLLECTOR``.
        secure: Whether TLS is spoken; the server's certificate is then verified.
    """

    kind: str
    secure: bool
    host: str
    port: int


class FleetSettings(NamedTuple):
    """Settings of the publication of a board's state.

    Attributes:
        labels: Names and values by which boards are grouped, such as ``site``.
        every_s: Seconds between two heartbeats.
        topic: Levels before the board's name; NATS writes them with dots.
        user, password: To log in; or ``token``, which MQTT does not know.
        ca: File of the certificate authority, or its text; empty for those of the system.
        certificate, key: Files of a certificate of the board; empty for none.
    """

    address: BrokerAddress
    board: str
    labels: Mapping[str, str]
    every_s: float
    topic: str
    user: str
    password: str
    token: str
    ca: str
    certificate: str
    key: str


class _FleetFile(NamedTuple):
    """Content of the file."""

    url: str = ""
    board: str = ""
    labels: object = None
    every_s: float = 60.0
    topic: str = "edgewright/state"
    user: str = ""
    password: str = ""
    token: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""


def load_settings(path: Path) -> FleetSettings:
    """Read the settings.

    Raises:
        LoadError: in one sentence without a secret, for a file that others may read or that has
            something unusable in it.
    """
    try:
        # A pipe must not be waited for: it is opened, and refused before it is read.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(handle).st_mode
            if not stat.S_ISREG(mode):
                raise LoadError("{} is not a regular file.".format(path))
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise LoadError("{} cannot be read: {}.".format(path, error.strerror)) from None
    if mode & 0o077:
        raise LoadError("{} may be read by others. Run: chmod 600 {}".format(path, path))
    if len(content) > MOST_BYTES:
        raise LoadError("{} has more than {} bytes.".format(path, MOST_BYTES))
    try:
        document = json.loads(content.decode("utf-8"))
        return settings_of(document)
    except (ValueError, RecursionError, TypeError):
        raise LoadError("{} is not a JSON object of settings.".format(path)) from None


def settings_of(document: object) -> FleetSettings:
    """Check the content of the file.

    Raises:
        LoadError: in one sentence without a secret.
        TypeError, ValueError: for another form.
    """
    if not isinstance(document, dict):
        raise ValueError("no object")
    unknown = sorted(set(map(str, document)) - set(_FleetFile._fields))
    if unknown:
        raise LoadError("A fleet file has no setting {!r}.".format(unknown[0][:40]))
    file = read(_FleetFile, document)
    if not BOARD_NAME.fullmatch(file.board):
        raise LoadError(
            "{!r} is no name of a board: letters, digits, - and _, at most 64.".format(
                file.board[:70]
            )
        )
    if not TOPIC.fullmatch(file.topic) or len(file.topic) > 128:
        raise LoadError("{!r} is no topic such as edgewright/state.".format(file.topic[:140]))
    if not math.isfinite(file.every_s) or not SHORTEST_S <= file.every_s <= LONGEST_S:
        raise LoadError("every_s is a number of seconds from 1 to 86,400.")
    if bool(file.certificate) != bool(file.key):
        raise LoadError("certificate and key belong together.")
    address = broker_address(file.url)
    if file.token and address.kind == MQTT:
        raise LoadError("A token is not for MQTT, which has user and password.")
    if file.certificate and address.kind == COLLECTOR:
        raise LoadError("A collector gets a token, or user and password, and no certificate.")
    rest = file._asdict()
    rest.pop("url")
    return FleetSettings(address=address, **dict(rest, labels=_labels(file.labels)))


def broker_address(url: str) -> BrokerAddress:
    """Read an address.

    Raises:
        LoadError: for another text, or one with a user or a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise LoadError(_ADDRESS.format(url[:100])) from None
    if "@" in parts.netloc:
        raise LoadError("The login of a broker is not part of its address.")
    plain = all("!" <= one <= "~" for one in url)
    more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in _SCHEMES or not parts.hostname or not plain or more:
        raise LoadError(_ADDRESS.format(url[:100]))
    kind, secure, usual = _SCHEMES[parts.scheme]
    return BrokerAddress(kind, secure, parts.hostname, port or usual)


def _labels(given: object) -> Dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MOST_LABELS:
        raise LoadError("labels are at most {} names with values.".format(MOST_LABELS))
    found = {}
    for name, value in given.items():
        text = isinstance(value, str) and value.isprintable() and len(value) <= MOST_CHARACTERS
        if not _LABEL.fullmatch(str(name)) or not text:
            raise LoadError("The label {!r} cannot be used.".format(str(name)[:40]))
        found[str(name)] = str(value)
    return found
