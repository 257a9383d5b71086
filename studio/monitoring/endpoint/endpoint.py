"""The endpoint of a release: its tunnel, its certificate, its token."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Protocol

from studio.api import Channel, TargetError, TargetSpec, Tunnel
from studio.deployment.access import keep_token, known_token, token_on
from studio.deployment.liveness import liveness, server_info
from studio.documents.dataclass_json import read_parts
from studio.jobs import Job
from studio.monitoring.endpoint.platform_endpoint import PlatformEndpoint
from studio.monitoring.endpoint.status import ServerReport
from studio.monitoring.released_bundles import KnownBundles
from studio.runtime.shared.link import authorization, connect
from studio.targets.connect import open_channel, root_of
from studio.targets.platforms import site_of
from studio.targets.target import open_target

_REFUSED = 401


class Answer(Protocol):
    """An answer to a request, with the interface of an HTTP answer."""

    @property
    def status(self) -> int: ...

    def read(self) -> bytes:
        """Return the whole body."""

    def getheader(self, name: str, default: str, /) -> str:
        """Return a header."""


class Connection(Protocol):
    """A connection that stays open between requests."""

    def close(self) -> None:
        """Close the connection."""


class Link(Protocol):
    """A thread-safe link to an endpoint, over HTTP or through a platform's own calls."""

    report: ServerReport

    def connect(self, timeout: float) -> Connection:
        """Return a connection, which its first request opens."""

    def request(
        self,
        connection: Any,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; return the answer with its body unread.

        Raises:
            TargetError: when the request is refused permanently.
            OSError, http.client.HTTPException: when no answer arrives.
        """


class Endpoint:
    """The address of a server, and the token for it.

    Another user may change the token at any time. If a token is refused, the current one is read
    from the target, and the request is repeated. Several threads may use an endpoint.

    Attributes:
        report: The server's own report (``server.json``), read over the channel. The channel's host
            key is verified, so the fingerprint of the certificate can be trusted.
    """

    def __init__(
        self,
        tunnel: Tunnel,
        report: ServerReport,
        token: str = "",
        renew: Callable[[], str] | None = None,
    ) -> None:
        self.report = report
        self._tunnel = tunnel
        self._token = token
        self._renew = renew
        self._lock = threading.Lock()

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        """Return a connection, which its first request opens."""
        shown = {"scheme": self.report.scheme, "fingerprint": self.report.fingerprint}
        return connect(shown, self._tunnel.host, self._tunnel.port, timeout)

    def request(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        """Send a request with the token; return the answer with its body unread.

        Raises:
            TargetError: when the token is refused, and no newer one can be read.
            OSError, http.client.HTTPException: when no answer arrives.
        """
        while True:
            token = self._token
            connection.request(method, path, body, {**(headers or {}), **authorization(token)})
            answer = connection.getresponse()
            if answer.status != _REFUSED or not self._is_renewed(token):
                return answer
            # The body of the refusal must be read before the connection can be used again.
            answer.read()

    def _is_renewed(self, refused: str) -> bool:
        """Return whether there is a newer token than the refused one."""
        with self._lock:
            if self._token == refused and self._renew is not None:
                self._token = self._renew()
            return self._token != refused


def endpoint_of(
    target: TargetSpec, channel: Channel, root: str, report: ServerReport, tunnel: Tunnel
) -> Endpoint:
    """Return the endpoint behind a tunnel, with the token stored on this computer."""

    def renew() -> str:
        text = channel.run(["cat", f"{root}/access/token"], timeout=30).text
        token = token_on(target, root, text)
        keep_token(target, root, token)
        return token

    if not report.token_required:
        return Endpoint(tunnel, report)
    return Endpoint(tunnel, report, known_token(target, root), renew)


def token_of(tunnel: Tunnel) -> str:
    """Return the token of a platform's tunnel; empty without one."""
    return str(getattr(tunnel, "token", ""))


def reached(
    target: TargetSpec, job: Job, known: KnownBundles | None = None
) -> AbstractContextManager[Link]:
    """Open a link to the endpoint of a target.

    Args:
        known: Folders of bundles by release, for platforms that do not describe a model. None for
            requests that need a server of their own, which such platforms hide.

    Raises:
        TargetError: when the target has no running release, or no server to ask.
    """
    return open_target(target).choose(_on_machine, _on_platform)(target, job, known)


@contextmanager
def _on_platform(target: TargetSpec, job: Job, known: KnownBundles | None) -> Iterator[Link]:
    with site_of(target, job) as (_, site):
        tunnel = site.reach()
        if tunnel is None and known is None:
            raise TargetError(
                f"{target.name} has no server that can be reached directly.",
                hint="See whether it is ready. On a cloud, use the platform's own client.",
            )
        if tunnel is None:
            yield PlatformEndpoint.of(site, target.name, known or {})
        else:
            with tunnel:
                yield Endpoint(tunnel, ServerReport(), token_of(tunnel))


@contextmanager
def _on_machine(target: TargetSpec, job: Job, _known: KnownBundles | None) -> Iterator[Link]:
    with closing(open_channel(target, job)) as channel:
        root = root_of(target, channel)
        document = server_info(channel, root)
        report = read_parts(ServerReport, document)
        if not report.running or not report.port:
            hint = liveness(target, document).text or (
                "Deploy a model first: studio deploy MODEL --target NAME"
            )
            raise TargetError(f"{target.name} has no running release.", hint=hint)
        with channel.forward(report.port) as tunnel:
            yield endpoint_of(target, channel, root, report, tunnel)
