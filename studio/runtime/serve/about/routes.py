"""Endpoints of the notice: a page for people, and the same as JSON."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Tuple

from ...shared.documents import read_record
from ...shared.sampling_config import sampling_for
from ...shared.user_notice import UserNotice, brief, notice_in
from ..apps.places import bundle_folder
from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..release_root import run_folder_of
from ..rest.router import PathNames
from ..service import Service
from .document import MOST_MODELS, AppNotice, KeptData, ServedNotice, about
from .page import HEADERS, page

SWITCH = "EDGEWRIGHT_ABOUT"
"""Variable of the environment; ``off``: the server has no notice."""

_HTML = "text/html; charset=utf-8"
_RELEASE = 12
_DECISIONS = "decisions.json"
"""File of a server's folder that allows a record of decisions."""


class _Keeping(NamedTuple):
    """The part of that file that a notice needs."""

    days: int
    on: bool = True


class _Outbox(NamedTuple):
    days: float = 7.0


class _Sink(NamedTuple):
    type: str


class _App(NamedTuple):
    name: str
    title: str = ""
    notice: str = ""
    outbox: _Outbox = _Outbox()
    sinks: Tuple[_Sink, ...] = ()


class _Meaning(NamedTuple):
    refer: Tuple[float, ...] = ()


class _AppModel(NamedTuple):
    name: str
    file: str = ""
    outputs: Optional[_Meaning] = None


class _StatedManifest(NamedTuple):
    """The part of a manifest that a notice needs."""

    app: Optional[_App] = None
    app_models: Tuple[_AppModel, ...] = ()
    outputs: Optional[_Meaning] = None


class _Bundle(NamedTuple):
    """The part of a bundle that a notice needs."""

    notice: UserNotice = UserNotice()
    manifest: _StatedManifest = _StatedManifest()


def about_page(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the page, or the document where the client prefers JSON."""
    if "application/json" in exchange.request.headers.get("accept", ""):
        return about_json(service, exchange, names)
    text = page(_document(service))
    return Response(200, text.encode("utf-8", "replace"), _HTML, HEADERS)


def about_json(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the notice of the server as JSON."""
    response = Response.of(_document(service))
    response.headers = HEADERS
    return response


def _document(service: Service) -> Dict[str, Any]:
    if os.environ.get(SWITCH, "").strip().lower() == "off":
        raise HttpError(404, "This server gives no notice.")
    models = service.repository.all()[:MOST_MODELS]
    bundles = [_bundle(model) for model in models]
    served = [_served(*pair) for pair in zip(models, bundles)]
    apps = [one.manifest.app for one in bundles if one.manifest.app is not None]
    sinks = [brief(sink.type) for app in apps for sink in app.sinks]
    kept = KeptData(
        samples=sum(_samples(model) for model in models),
        decisions_days=max((_decisions(model) for model in models), default=0),
        events_days=max(app.outbox.days for app in apps) if apps else None,
        events_to=tuple(dict.fromkeys(sinks)),
        log_rate=service.log.rate,
    )
    return about(served, kept)


def _served(model: ServedModel, bundle: _Bundle) -> ServedNotice:
    source, app = model.source, bundle.manifest.app
    return ServedNotice(
        name=brief(source.name),
        version=brief(source.version),
        release=source.digest[:_RELEASE],
        notice=bundle.notice,
        app=None
        if app is None
        else AppNotice(brief(app.name), brief(app.title), brief(app.notice)),
        bands=_bands(bundle.manifest, source.name),
    )


def _bands(manifest: _StatedManifest, name: str) -> Tuple[Tuple[str, float, float], ...]:
    meanings = {name: manifest.outputs}
    if manifest.app_models:
        meanings = {
            one.name: one.outputs if one.file else manifest.outputs for one in manifest.app_models
        }
    found = [(key, one.refer) for key, one in meanings.items() if one is not None]
    return tuple((brief(key), refer[0], refer[1]) for key, refer in found if len(refer) == 2)


def _bundle(model: ServedModel) -> _Bundle:
    folder = bundle_folder(model)
    return _Bundle() if folder is None else _read(folder, model.source.digest)


@lru_cache(maxsize=2 * MOST_MODELS)
def _read(folder: Path, digest: str) -> _Bundle:
    """Return the notice of a bundle, which no request reads twice: a release never changes."""
    try:
        raw = json.loads((folder / "manifest.json").read_text("utf-8"))
        manifest = read_record(_StatedManifest, raw)
    except (OSError, ValueError, KeyError, TypeError):
        manifest = _StatedManifest()
    return _Bundle(notice_in(folder), manifest)


def _samples(model: ServedModel) -> int:
    found = sampling_for(model.source.path, model.source.digest)
    return 0 if found is None else found[0].most


def _decisions(model: ServedModel) -> int:
    """Return for how many days the answers of a model are recorded; 0 for not at all."""
    run = run_folder_of(model.source.path)
    if run is None:
        return 0
    try:
        found = read_record(_Keeping, json.loads((run / _DECISIONS).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return found.days if found.on else 0
