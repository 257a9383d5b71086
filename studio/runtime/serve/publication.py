"""What a server publishes about itself: metrics to a collector, state to a broker."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, List, Optional

from ..fleet.settings import COLLECTOR, FILE, FleetSettings, load_settings
from ..parts import MissingPart
from ..shared.errors import LoadError
from .options import Options
from .otlp.start import check_export, started_export
from .release_root import run_folder_of
from .service import Service


def check_publication(options: Options) -> None:
    """Check the settings before anything is loaded.

    Raises:
        LoadError: in one sentence, when one cannot be used.
    """
    check_export(options.otlp_endpoint)
    if options.fleet_file is not None:
        load_settings(options.fleet_file)


def started_publication(service: Service, options: Options) -> Callable[[], None]:
    """Begin to publish to the configured receivers; return what ends it, within seconds."""
    ends: List[Callable[[], None]] = [started_export(service, options.otlp_endpoint)]
    settings = _fleet_settings(service, options)
    if settings is not None and settings.address.kind == COLLECTOR:
        from .otlp.start import started_for

        ends.append(started_for(service, settings))
    elif settings is not None:
        try:
            from .fleet.publisher import StatePublisher

            publisher = StatePublisher(service, settings, _run_folder(options))
            publisher.start()
            ends.append(publisher.close)
        except MissingPart as error:  # the release is served all the same
            service.log.event("state is not published", error=str(error))

    def end() -> None:
        for one in ends:
            one()

    return end


def _fleet_settings(service: Service, options: Options) -> Optional[FleetSettings]:
    """Return the settings of the command line, or those of the root of a supervised server.

    A probe before a switch has no supervisor and publishes nothing. Settings of a root that are
    damaged must not keep its release from being served.
    """
    if options.fleet_file is not None:
        return load_settings(options.fleet_file)
    run = _run_folder(options)
    if options.control < 0 or run is None:
        return None
    path = run.parent / "access" / FILE
    if not path.exists():
        return None
    try:
        return load_settings(path)
    except LoadError as error:
        service.log.event("state is not published", error=str(error))
        return None


def _run_folder(options: Options) -> Optional[Path]:
    return None if options.bundle is None else run_folder_of(options.bundle / "manifest.json")
