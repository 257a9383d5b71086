"""Overrides: decisions of persons that replace those of an app, kept among its events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Mapping, NamedTuple

from ...apps.items import Event
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..protocol.codec import parse_json
from ..rest.model_repository import check_json
from ..rest.override_texts import LONGEST_DECISION, read_texts
from ..rest.router import PathNames
from ..service import Service
from .host import AppHost

if TYPE_CHECKING:
    from .hosted_app import RunningApp

KIND = "override"


class Override(NamedTuple):
    """The decision of a person on an event.

    Attributes:
        event: Id of the event.
        by: Name of the person, as the client gives it.
    """

    event: str
    decision: str
    reason: str
    by: str


_LONGEST = {"event": 200, **LONGEST_DECISION}
"""Characters of each text of an override."""


def add_override(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Store the decision of a person on an event, and return it as an event of its own.

    The body: ``{"event": "<id>", "decision": "...", "reason": "...", "by": "..."}``. The new event
    has the step of the other one, so that it is delivered to the same receivers. Status 202: it is
    in memory alone until the disk can be written.
    """
    check_json(exchange)
    given = read_override(parse_json(exchange.request.body))
    running = _running(service)
    try:
        about = running.outbox.find(given.event)
    except OSError as error:
        raise HttpError(503, "The events cannot be read: {}".format(error)) from None
    if about is None:
        raise HttpError(404, "The app keeps no event with this id.")
    if about.kind == KIND:
        raise HttpError(400, "This event is an override: name the event that it is about.")
    override = _event(about, given)
    try:
        return Response.of(running.engine.record(override).to_json())
    except OSError:
        return Response.of(override.to_json(), 202)


def _running(service: Service) -> RunningApp:
    host = service.app
    if not isinstance(host, AppHost) or host.running is None:
        raise HttpError(404, "No app runs here.")
    return host.running


def read_override(document: Mapping[str, object]) -> Override:
    """Return the override in the body of a request.

    Raises:
        HttpError: 400, for one that is missing, empty, too long or unknown.
    """
    return Override(**read_texts(document, _LONGEST))


def _event(about: Event, given: Override) -> Event:
    """Return the event of an override: at the moment of the frame, with the clock of now."""
    details = {**given._asdict(), "was": about.details.get("decision", about.kind)}
    return Event(KIND, about.step, about.stamp._replace(wall=time.time()), details)
