"""A served model as the studio reaches it: its tunnel, its certificate, its token."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
from studio.targets.platforms import is_platform, site_of

_REFUSED = 401


class Answer(Protocol):
    """The answer to one request, in the shape of HTTP's."""

    @property
    def status(self) -> int: ...

    def read(self) -> bytes:
        """The whole body."""

    def getheader(self, name: str, default: str, /) -> str:
        """One header."""


class Connection(Protocol):
    """What is kept open between requests."""

    def close(self) -> None:
        """Close it."""


class Link(Protocol):
    """A served model, reached over HTTP or through a platform's own calls. Thread-safe."""

    report: ServerReport

    def connect(self, timeout: float) -> Connection:
        """A connection that is opened with its first request."""

    def ask(
        self,
        connection: Any,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; the answer, its body unread.

        Raises:
            TargetError: when it is refused for good.
            OSError, http.client.HTTPException: when no answer comes.
        """


class Endpoint:
    """Where a server answers, and what it wants to be shown.

    A token may be changed at any moment, also by somebody else: one that is refused is read anew
    from the target, and the request is sent again. May be used by several threads.

    Attributes:
        report: What the server says of itself (``server.json``), learned over the channel, whose
            key was confirmed: so its fingerprint of the certificate can be relied on.
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
        """A connection that is opened with its first request."""
        shown = {"scheme": self.report.scheme, "fingerprint": self.report.fingerprint}
        return connect(shown, self._tunnel.host, self._tunnel.port, timeout)

    def ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        """Send a request with the token; the answer, its body unread.

        Raises:
            TargetError: when the token is refused and a newer one cannot be read.
            OSError, http.client.HTTPException: when no answer comes.
        """
        while True:
            token = self._token
            connection.request(method, path, body, {**(headers or {}), **authorization(token)})
            answer = connection.getresponse()
            if answer.status != _REFUSED or not self._is_renewed(token):
                return answer
            answer.read()

    def _is_renewed(self, refused: str) -> bool:
        """Whether there is another token than the one that was refused."""
        with self._lock:
            if self._token == refused and self._renew is not None:
                self._token = self._renew()
            return self._token != refused


def endpoint_of(
    target: TargetSpec, channel: Channel, root: str, report: ServerReport, tunnel: Tunnel
) -> Endpoint:
    """The endpoint behind a tunnel, with the token that is known here."""

    def renew() -> str:
        text = channel.run(["cat", f"{root}/access/token"], timeout=30).text
        token = token_on(target, root, text)
        keep_token(target, root, token)
        return token

    if not report.token_required:
        return Endpoint(tunnel, report)
    return Endpoint(tunnel, report, known_token(target, root), renew)


def token_of(tunnel: Tunnel) -> str:
    """The token that a platform's way to a server brings with it; empty without one."""
    return str(getattr(tunnel, "token", ""))


@contextmanager
def reached(target: TargetSpec, job: Job, known: KnownBundles | None = None) -> Iterator[Link]:
    """A way to what a target serves.

    Args:
        known: Folders of bundles by release, for platforms that tell nothing of a model.

    Raises:
        TargetError: when nothing is served there.
    """
    if is_platform(target):
        with site_of(target, job) as (_, site):
            tunnel = site.reach()
            if tunnel is None:
                yield PlatformEndpoint.of(site, target.name, known or {})
            else:
                with tunnel:
                    yield Endpoint(tunnel, ServerReport(), token_of(tunnel))
        return
    channel = open_channel(target, job)
    try:
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
    finally:
        channel.close()
