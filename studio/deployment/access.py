"""Who may call what is deployed: what was asked for, what it means, how it is put in place."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.api import TargetError, TargetSpec, UsageError
from studio.deployment.options import LOOPBACK, NETWORK
from studio.deployment.release_client import ReleaseClient
from studio.jobs import Arguments
from studio.runtime.release.server.access import LEAST_CHARACTERS
from studio.runtime.release.server.certificate import DAYS, self_signed
from studio.runtime.shared.access_tokens import VARIABLE
from studio.runtime.shared.host_names import is_host_pattern
from studio.settings import Paths, write_atomically
from studio.settings.secrets import SecretStore

_HOSTS = {LOOPBACK: "127.0.0.1", NETWORK: "0.0.0.0"}
_LARGEST = 64 << 10
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What was asked for; empty where it is to stay as it is.

    Attributes:
        host: Address to listen on.
        token: ``none``, ``new`` or ``given``.
        value: The given token.
        tls: ``none``, ``self-signed`` or ``given``.
        pem: The given key and certificate chain.
        open_to_all: Everybody may call it: said on purpose.
        allowed_hosts: Names under which it answers beside its own; None for those of now.
    """

    host: str = ""
    token: str = ""
    value: str = field(default="", repr=False)
    tls: str = ""
    pem: str = field(default="", repr=False)
    open_to_all: bool = False
    allowed_hosts: tuple[str, ...] | None = None

    @classmethod
    def of(cls, arguments: Arguments, environment: Mapping[str, str]) -> AccessRequest:
        """Read the options, and the files that they name.

        Raises:
            UsageError: when they contradict each other, or a file cannot be used.
        """
        token, value = _token(arguments, environment)
        tls, pem = _tls(arguments)
        everybody = bool(arguments.get("open_to_all"))
        names = _names(arguments)
        return cls(_host(arguments), token, value, tls, pem, everybody, names)

    def request(self) -> dict[str, Any]:
        """What the release machine is told of it."""
        tls = {"": "", "none": "none"}.get(self.tls, "on")
        names = None if self.allowed_hosts is None else list(self.allowed_hosts)
        return {"token": self.token, "value": self.value, "tls": tls, "allowed_hosts": names}

    def changes(self, service: Mapping[str, Any]) -> bool:
        """Whether something is to be done for it, beside the release."""
        new = self.token in ("new", "given") or self.tls == "given"
        return new or self.after(service) != AccessRequest().after(service)

    def after(self, service: Mapping[str, Any]) -> Access:
        """What will hold.

        Args:
            service: How the target serves now (``service.json``).
        """
        return Access(
            self.host or str(service.get("host") or _HOSTS[LOOPBACK]),
            self.token != "none" if self.token else bool(service.get("token")),
            self.tls != "none" if self.tls else bool(service.get("tls")),
            tuple(service.get("allowed_hosts") or ())
            if self.allowed_hosts is None
            else self.allowed_hosts,
        )


@dataclass(frozen=True, slots=True)
class Access:
    """Who can reach a server, what callers must bring, and which names it has for them."""

    host: str
    token: bool
    tls: bool
    allowed_hosts: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it can be reached from elsewhere."""
        return not is_loopback(self.host)

    def __str__(self) -> str:
        who = f"everybody who reaches {self.host}" if self.is_open else "this target alone"
        how = "over TLS" if self.tls else "over plain HTTP"
        names = f", also as {' and '.join(self.allowed_hosts)}" if self.allowed_hosts else ""
        return f"{who}{names}, {how}, {'with the token' if self.token else 'without a token'}"


def is_loopback(host: str) -> bool:
    """Whether an address is that of a machine to itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def secret_name(target: TargetSpec, root: str) -> str:
    """Under which a target's token is kept."""
    return f"token of {target.url} {root}"


def known_token(target: TargetSpec, root: str) -> str:
    """A target's token as it is kept here; empty when it is not."""
    return SecretStore(Paths.of()).get(secret_name(target, root))


def keep_token(target: TargetSpec, root: str, token: str) -> str:
    """Keep a target's token here, or forget it when it is empty; returns where it is kept."""
    store, name = SecretStore(Paths.of()), secret_name(target, root)
    if token:
        return store.set(name, token)
    store.forget(name)
    return ""


def keep_certificate(target: TargetSpec, certificate: str) -> str:
    """Keep a target's certificate as a file for other clients of the user; returns its path."""
    place = "/".join(filter(None, (target.url, target.endpoint_name)))
    name = hashlib.sha256(place.encode()).hexdigest()[:16]
    path = Paths.of().data / "certificates" / f"{name}.pem"
    if certificate:
        write_atomically(path, certificate.encode())
    return str(path) if path.exists() else ""


def certify(
    agent: ReleaseClient, wish: AccessRequest, names: Sequence[str], skew_s: float, folder: Path
) -> tuple[str, str]:
    """Have a certificate on the target for the coming switch.

    Returns:
        What is to be told of it, and the certificate (PEM).

    Args:
        names: Under which the target is called.
        folder: A private one, for what is made here.
        skew_s: How far its clock is off: one that is days off must not date a certificate.

    Raises:
        TargetError: when the target refuses it.
    """
    request: dict[str, Any] = {"names": list(names), "own": wish.tls == "self-signed"}
    if wish.pem:
        done = agent.call("certify", {**request, "pem": wish.pem})
        return f"your certificate {done['fingerprint'][:12]}", done["certificate"]
    if abs(skew_s) < _DAY_S:
        done = agent.call("certify", request)
        if done["made"]:
            made = "kept" if done["made"] == "kept" else "made there"
            return f"certificate {done['fingerprint'][:12]}, {made}", done["certificate"]
    # Nothing there can make one, so that its key has to travel, as the token does.
    pem = self_signed(names, folder)
    until = time.time() + DAYS * _DAY_S
    done = agent.call("certify", {**request, "pem": pem, "until": until})
    text = f"certificate {done['fingerprint'][:12]}, made here as the target lacks openssl"
    return text, done["certificate"]


def _host(arguments: Arguments) -> str:
    host, expose = str(arguments.get("host") or ""), arguments.get("expose")
    if not expose:
        return host
    if host and is_loopback(host) != (expose == LOOPBACK):
        raise UsageError(f"--expose {expose} conflicts with --host {host}.")
    return host or _HOSTS[str(expose)]


def _names(arguments: Arguments) -> tuple[str, ...] | None:
    given = arguments.get("allowed_host")
    if not given:
        return None
    names = tuple(dict.fromkeys(str(one).strip().rstrip(".").lower() for one in given))
    if names == ("none",):
        return ()
    for name in names:
        if name == "none" or not is_host_pattern(name):
            raise UsageError(
                f"'{name[:100]}' is no name of a host.",
                hint="A name looks like cam.example.com, or *.example.com for all below it.",
            )
    return names


def _token(arguments: Arguments, environment: Mapping[str, str]) -> tuple[str, str]:
    wanted, file = arguments.get("token"), arguments.get("token_file")
    if file and wanted not in (None, "given"):
        raise UsageError(f"--token {wanted} needs no --token-file.")
    if not file and wanted != "given":
        return {None: "", "none": "none", "generate": "new"}[wanted], ""
    value = _text(Path(file), "token") if file else environment.get(VARIABLE, "")
    if not value:
        raise UsageError(
            "Missing token.", hint=f"Name its file with --token-file, or set ${VARIABLE}."
        )
    value = value.strip()
    if len(value) < LEAST_CHARACTERS or not all("!" <= one <= "~" for one in value):
        raise UsageError(
            f"A token has at least {LEAST_CHARACTERS} characters, and neither spaces nor letters "
            "outside ASCII.",
            hint="Use --token generate to create one.",
        )
    return "given", value


def _tls(arguments: Arguments) -> tuple[str, str]:
    wanted = arguments.get("tls")
    cert, key = arguments.get("cert"), arguments.get("key")
    if not cert and not key:
        if wanted == "given":
            raise UsageError("No certificate was given.", hint="Name --cert and --key.")
        return str(wanted or ""), ""
    if not cert or not key:
        raise UsageError("--cert and --key belong together.")
    if wanted not in (None, "given"):
        raise UsageError(f"--tls {wanted} needs neither --cert nor --key.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise UsageError(f"The certificate {cert} or its key cannot be used: {reason}.") from None
    return "given", _text(Path(key), "key") + "\n" + _text(Path(cert), "certificate")


def _text(path: Path, what: str) -> str:
    """A small file of the user."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("ascii").strip() + "\n"
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"The {what} {path} is not plain text.") from None


def token_on(target: TargetSpec, root: str, text: str) -> str:
    """The token in the target's own file.

    Raises:
        TargetError: when it cannot be read there.
    """
    token = next(iter(text.split()), "")
    if not token:
        raise TargetError(
            f"The token of {target.name} is not known here and cannot be read there.",
            hint=f"Deploy with --token given, or log in as the owner of {root}.",
        )
    return token
