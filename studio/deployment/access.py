"""Access to an endpoint: the options requested, their meaning, and their setup on the target."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from studio.api import TargetError, TargetSpec, UsageError
from studio.deployment.machine.answers import CertifyAnswer
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.options import LOOPBACK, NETWORK, AccessOptions
from studio.documents.dataclass_json import JsonValue, read_parts
from studio.lazy_dataclass import dataclass
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
    """Access options of a deploy; an empty field leaves the current setting unchanged.

    Attributes:
        host: Address to listen on.
        token: ``none``, ``new`` or ``given``.
        value: The given token.
        tls: ``none``, ``self-signed`` or ``given``.
        pem: The given key and certificate chain.
        open_to_all: Whether callers on other machines are allowed; set explicitly.
        allowed_hosts: Extra host names that the server accepts; None keeps the current ones.
    """

    host: str = ""
    token: str = ""
    value: str = field(default="", repr=False)
    tls: str = ""
    pem: str = field(default="", repr=False)
    open_to_all: bool = False
    allowed_hosts: tuple[str, ...] | None = None

    @classmethod
    def of(cls, options: AccessOptions, environment: Mapping[str, str]) -> AccessRequest:
        """Read the options, and the files that they name.

        Raises:
            UsageError: when they contradict each other, or a file cannot be used.
        """
        token, value = _token(options, environment)
        tls, pem = _tls(options)
        names = _names(options.allowed_host)
        return cls(_host(options), token, value, tls, pem, options.allow_unauthenticated, names)

    def request(self) -> dict[str, JsonValue]:
        """Return the access fields of the release machine's request."""
        tls = {"": "", "none": "none"}.get(self.tls, "on")
        names = None if self.allowed_hosts is None else list(self.allowed_hosts)
        return {"token": self.token, "value": self.value, "tls": tls, "allowed_hosts": names}

    def changes(self, service: Mapping[str, object]) -> bool:
        """Return whether the target needs an access change besides the release."""
        new = self.token in ("new", "given") or self.tls == "given"
        return new or self.after(service) != AccessRequest().after(service)

    def after(self, service: Mapping[str, object]) -> Access:
        """Return the access after a switch.

        Args:
            service: How the target serves now (``service.json``).
        """
        now = read_parts(Access, service)
        return replace(
            now,
            host=self.host or now.host or _HOSTS[LOOPBACK],
            token=self.token != "none" if self.token else now.token,
            tls=self.tls != "none" if self.tls else now.tls,
            allowed_hosts=now.allowed_hosts if self.allowed_hosts is None else self.allowed_hosts,
        )


@dataclass(frozen=True, slots=True)
class Access:
    """The reach of a server, the credentials of its callers, and its host names."""

    host: str = ""
    token: bool = False
    tls: bool = False
    allowed_hosts: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether other machines can reach the server."""
        return not is_loopback(self.host)

    def __str__(self) -> str:
        who = f"all clients that reach {self.host}" if self.is_open else "this target alone"
        how = "over TLS" if self.tls else "over plain HTTP"
        names = f", also as {' and '.join(self.allowed_hosts)}" if self.allowed_hosts else ""
        return f"{who}{names}, {how}, {'with the token' if self.token else 'without a token'}"


def is_loopback(host: str) -> bool:
    """Return whether an address is the loopback of a machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def secret_name(target: TargetSpec, root: str) -> str:
    """Return the name of the secret that stores a target's token."""
    return f"token of {target.url} {root}"


def known_token(target: TargetSpec, root: str) -> str:
    """Return the stored token of a target; empty if none is stored."""
    return SecretStore(Paths.of()).get(secret_name(target, root))


def keep_token(target: TargetSpec, root: str, token: str) -> str:
    """Store a target's token, or delete it if it is empty; return where it is stored."""
    store, name = SecretStore(Paths.of()), secret_name(target, root)
    if token:
        return store.set(name, token)
    store.forget(name)
    return ""


def keep_certificate(target: TargetSpec, certificate: str) -> str:
    """Store a target's certificate as a file for other clients; return its path."""
    place = "/".join(filter(None, (target.url, target.endpoint_name)))
    name = hashlib.sha256(place.encode()).hexdigest()[:16]
    path = Paths.of().data / "certificates" / f"{name}.pem"
    if certificate:
        write_atomically(path, certificate.encode())
    return str(path) if path.exists() else ""


def certify(
    agent: ReleaseClient, wish: AccessRequest, names: Sequence[str], skew_s: float, folder: Path
) -> tuple[str, str]:
    """Prepare a certificate on the target for the next switch.

    Returns:
        The fields for the switch request, and the certificate (PEM).

    Args:
        names: Host names of the target.
        folder: A private folder for temporary files.
        skew_s: Clock skew of the target; a clock that is days off must not date a certificate.

    Raises:
        TargetError: when the target refuses it.
    """
    request: dict[str, object] = {"names": list(names), "own": wish.tls == "self-signed"}
    if wish.pem:
        done = agent.request(CertifyAnswer, "certify", {**request, "pem": wish.pem})
        return f"your certificate {done.fingerprint[:12]}", done.certificate
    if abs(skew_s) < _DAY_S:
        done = agent.request(CertifyAnswer, "certify", request)
        if done.made:
            made = "kept" if done.made == "kept" else "made there"
            return f"certificate {done.fingerprint[:12]}, {made}", done.certificate
    # The target cannot generate a certificate, so the key is sent to it, like the token.
    pem = self_signed(names, folder)
    until = time.time() + DAYS * _DAY_S
    done = agent.request(CertifyAnswer, "certify", {**request, "pem": pem, "until": until})
    text = f"certificate {done.fingerprint[:12]}, made here as the target lacks openssl"
    return text, done.certificate


def _host(options: AccessOptions) -> str:
    host, expose = options.host or "", options.expose
    if not expose:
        return host
    if host and is_loopback(host) != (expose == LOOPBACK):
        raise UsageError(f"--expose {expose} conflicts with --host {host}.")
    return host or _HOSTS[expose]


def _names(given: Sequence[str] | None) -> tuple[str, ...] | None:
    if not given:
        return None
    names = tuple(dict.fromkeys(one.strip().rstrip(".").lower() for one in given))
    if names == ("none",):
        return ()
    for name in names:
        if name == "none" or not is_host_pattern(name):
            raise UsageError(
                f"'{name[:100]}' is not a valid host name.",
                hint="Use a name such as cam.example.com, or *.example.com for all subdomains.",
            )
    return names


def _token(options: AccessOptions, environment: Mapping[str, str]) -> tuple[str, str]:
    wanted, file = options.token, options.token_file
    if file and wanted not in (None, "given"):
        raise UsageError(f"--token {wanted} cannot be combined with --token-file.")
    if not file and wanted != "given":
        return {None: "", "none": "none", "generate": "new"}[wanted], ""
    value = _text(file, "token") if file else environment.get(VARIABLE, "")
    if not value:
        raise UsageError("Missing token.", hint=f"Pass --token-file FILE, or set ${VARIABLE}.")
    value = value.strip()
    if len(value) < LEAST_CHARACTERS or not all("!" <= one <= "~" for one in value):
        raise UsageError(
            f"A token must have at least {LEAST_CHARACTERS} printable ASCII characters "
            "without spaces.",
            hint="Use --token generate to create one.",
        )
    return "given", value


def _tls(options: AccessOptions) -> tuple[str, str]:
    wanted, cert, key = options.tls, options.cert, options.key
    if not cert and not key:
        if wanted == "given":
            raise UsageError("Missing certificate.", hint="Pass --cert and --key.")
        return wanted or "", ""
    if not cert or not key:
        raise UsageError("--cert and --key must be given together.")
    if wanted not in (None, "given"):
        raise UsageError(f"--tls {wanted} cannot be combined with --cert or --key.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise UsageError(f"Invalid certificate or key {cert}: {reason}.") from None
    return "given", _text(key, "key") + "\n" + _text(cert, "certificate")


def _text(path: Path, what: str) -> str:
    """Read a small file of the user."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("ascii").strip() + "\n"
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"The {what} {path} is not plain text.") from None


def token_on(target: TargetSpec, root: str, text: str) -> str:
    """Read the token from the target's own file.

    Raises:
        TargetError: when it cannot be read there.
    """
    token = next(iter(text.split()), "")
    if not token:
        raise TargetError(
            f"The token of {target.name} is not stored on this computer and cannot be read "
            "on the target.",
            hint=f"Deploy with --token given --token-file FILE, or log in as the owner of {root}.",
        )
    return token
