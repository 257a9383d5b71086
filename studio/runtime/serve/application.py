"""The application behind the HTTP server: authentication and routing."""

from __future__ import annotations

from typing import Iterable, Optional

from .engine.served_model import ServedModel
from .http.admission import Admission
from .http.allowed_hosts import HostPolicy
from .http.exchange import Exchange
from .http.message import Head, HttpError, Request, Response
from .rest.router import Route, Router
from .service import Service, unauthorized


class Application:
    """The endpoints in front of a service.

    Attributes:
        service: What the endpoints may use.
    """

    def __init__(self, service: Service, routes: Iterable[Route]) -> None:
        self.service = service
        self._admits = service.admits
        self._router = Router(routes)

    def __call__(self, exchange: Exchange) -> Optional[Response]:
        """Answer an exchange now, or later (see ``http.connection.AnswerRequest``)."""
        request = exchange.request
        if self.service.traces is not None:
            self.service.traces.begin(exchange)
        if not (
            self._admits(request.headers.get("authorization", ""))
            or self.is_probe(request.method, request.path)
        ):
            raise unauthorized()
        endpoint, names = self._router.find(request.method, request.path)
        return endpoint(self.service, exchange, names)

    def answers_for(self, request: Request) -> Optional[ServedModel]:
        """Return the model that answers an infer request of the Open Inference Protocol now."""
        try:
            _, names = self._router.find(request.method, request.path)
            return self.service.repository.find(names.model, names.version)
        except HttpError:  # it has gone
            return None

    def is_probe(self, method: str, path: str) -> bool:
        """Return whether a request asks for no more than whether the server lives."""
        return self._router.is_probe(method, path)

    def check_body(self, head: Head) -> Optional[int]:
        """Bytes that may follow a head; None for the limit of the server.

        Raises:
            HttpError: when the request is refused whatever follows.
        """
        allowed = self._admits(head.headers.get("authorization", ""))
        if not (allowed or self.is_probe(head.method, head.path)):
            raise unauthorized()
        return self._router.body_of(head.method, head.path)


class ApplicationAdmission(Admission):
    """The demands of an application on a request before its body: a name, a token, an endpoint."""

    def __init__(self, application: Application, hosts: HostPolicy) -> None:
        self._application = application
        self._hosts = hosts

    def check_head(self, head: Head) -> None:
        """Check whom the request is meant for; a probe may ask under any name."""
        if not self.is_probe(head.method, head.path):
            self._hosts.check(head.headers)

    def check_body(self, head: Head) -> Optional[int]:
        """Check the token, and what the endpoint takes."""
        try:
            return self._application.check_body(head)
        except HttpError as error:
            error.close = True
            raise

    def is_probe(self, method: str, path: str) -> bool:
        """Return whether a request asks for no more than whether the server lives."""
        return self._application.is_probe(method, path)
