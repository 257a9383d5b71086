"""The endpoint for decisions of persons that replace those of a model, where these are recorded."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple, Optional

from ...decisions.entry import DECISION, OVERRIDE, REQUEST, ChainEntry
from ...decisions.log import Draft
from ...decisions.search import find_request
from ..engine.observer import AnswerRecorder
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..protocol.codec import parse_json
from ..service import Service
from .model_repository import check_json, later_response
from .override_texts import LONGEST_DECISION, read_texts
from .router import PathNames

_LONGEST = {"request": 64, **LONGEST_DECISION}
_LONGEST_TEXT = 4000
"""Characters of a text that replaces that of a language model."""
_AT_ONCE = 4
"""Overrides that look through the record at the same time; each reads the disk."""
_FLUSH_S = 5.0


class AnswerOverride(NamedTuple):
    """The decision of a person on an answer.

    Attributes:
        request: Id that the answer had in its headers.
        by: Name of the person, as the client gives it.
    """

    request: str
    decision: str
    reason: str
    by: str


def override(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Record the decision of a person on an answer of a model.

    The body: ``{"request": "<id>", "decision": "...", "reason": "...", "by": "..."}``, with the id
    of the header ``Edgewright-Request``.
    """
    check_json(exchange)
    model = service.repository.find(names.model, names.version)
    recorder = model.decisions
    if recorder is None or not recorder.on:
        raise HttpError(404, "This server keeps no record of its decisions.")
    longest = _LONGEST if model.generator is None else {**_LONGEST, "decision": _LONGEST_TEXT}
    given = AnswerOverride(**read_texts(parse_json(exchange.request.body), longest))
    if not REQUEST.fullmatch(given.request):
        raise HttpError(400, "request is the value of the header Edgewright-Request.")
    if service.overriding >= _AT_ONCE:
        raise HttpError(
            503, "Too many overrides at once. Retry later.", headers="Retry-After: 1\r\n"
        )
    service.overriding += 1
    later_response(service, exchange, _record(service, recorder, names.model, given))
    return None


async def _record(
    service: Service, recorder: AnswerRecorder, model: str, given: AnswerOverride
) -> Response:
    loop = asyncio.get_running_loop()
    try:
        entry = await loop.run_in_executor(None, _write, recorder, model, given)
    except OSError as error:
        reason = error.strerror or str(error)
        raise HttpError(507, "The override cannot be recorded: {}.".format(reason)) from None
    finally:
        service.overriding -= 1
    return Response.of({"entry": entry.number, "at": entry.at, **given._asdict()})


def _write(recorder: AnswerRecorder, model: str, given: AnswerOverride) -> ChainEntry:
    recorder.flush(_FLUSH_S)
    found = find_request(recorder.log.folder, given.request)
    kept = {} if found is None else found.kept or {}
    if found is None or found.event != DECISION or kept.get("model") != model:
        raise HttpError(404, "The record has no answer of this model to such a request.")
    about = {name: kept.get(name, "") for name in ("model", "version", "digest", "input")}
    facts = {**about, **given._asdict(), "about": found.number, "was": kept.get("meaning", "")}
    (entry,) = recorder.log.append([Draft(OVERRIDE, time.time(), facts)])
    return entry
