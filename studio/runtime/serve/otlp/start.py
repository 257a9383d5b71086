"""The begin of an export; nothing of it is loaded where no collector is named."""

from __future__ import annotations

import os
from typing import Callable

from ...fleet.settings import FleetSettings
from ...parts import MissingPart
from ...shared.errors import LoadError
from ..service import Service
from .settings import export_settings


def check_export(option: str) -> None:
    """Check the settings of an export before anything is loaded.

    Raises:
        LoadError: in one sentence, when one cannot be used.
    """
    export_settings(option, os.environ)


def started_export(service: Service, option: str) -> Callable[[], None]:
    """Begin to export where a collector is named; return what ends it, within seconds."""
    settings = export_settings(option, os.environ)
    if settings is None:
        return _nothing
    try:
        from .exporter import Exporter
    except MissingPart as error:  # the release is served all the same
        service.log.event("telemetry is not exported", error=str(error))
        return _nothing
    exporter = Exporter(service, settings)
    exporter.start()
    return exporter.close


def started_for(service: Service, settings: FleetSettings) -> Callable[[], None]:
    """Begin to export to the collector of a board's settings; return what ends it."""
    try:
        from .board import export_of
        from .exporter import Exporter

        exporter = Exporter(service, export_of(settings))
    except LoadError as error:  # the release is served all the same
        service.log.event("telemetry is not exported", error=str(error))
        return _nothing
    exporter.start()
    return exporter.close


def _nothing() -> None:
    """Do nothing."""
