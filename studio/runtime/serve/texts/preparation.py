"""Preparation of answers, on a thread where it takes long."""

from __future__ import annotations

from typing import Callable, Tuple

from ..engine.served_model import ServedModel
from ..engine.text_desk import TextDesk
from ..http.exchange import Exchange
from ..http.message import Response
from ..service import Service
from .answer import PreparedAnswer, TextAnswer
from .refusal import Refusal

_LARGE = 8 * 1024
"""Bytes of a request whose text would keep the event loop from other clients."""

Prepare = Callable[[], Tuple[ServedModel, PreparedAnswer]]
"""Reads a request; it may be called on a thread."""


def desk_of(service: Service) -> TextDesk:
    """Return the desk of a service, made at its first use."""
    if service.desk is None:
        service.desk = TextDesk(service.executor.loop)
    return service.desk


def answer_text(service: Service, exchange: Exchange, prepare: Prepare) -> None:
    """Prepare a request and begin with its answer; the exchange is answered in any case."""
    if len(exchange.request.body) > _LARGE or _is_guarded(service):
        service.begin(_prepare_aside(service, exchange, prepare))
        return
    try:
        model, want = prepare()
    except Refusal as refusal:
        exchange.answer(refusal.response)
        return
    _start(service, exchange, model, want)


def _is_guarded(service: Service) -> bool:
    """Return whether rules have to be applied to prompts, which may take a while."""
    generators = (model.generator for model in service.repository.all())
    return any(one is not None and one.guard is not None for one in generators)


async def _prepare_aside(service: Service, exchange: Exchange, prepare: Prepare) -> None:
    loop = service.executor.loop
    try:
        model, want = await loop.run_in_executor(None, prepare)
    except Refusal as refusal:
        exchange.answer(refusal.response)
    except Exception as error:  # the client must not wait for ever
        service.log.event("request failed", error=repr(error))
        exchange.answer(Response.error(500, "The request could not be prepared."))
    else:
        _start(service, exchange, model, want)


def _start(service: Service, exchange: Exchange, model: ServedModel, want: PreparedAnswer) -> None:
    assert model.generator is not None
    if not exchange.gone:
        TextAnswer(service, desk_of(service), exchange, model, want).begin(model.generator)
