"""All kinds of sources, steps and sinks by their names."""

from __future__ import annotations

from typing import Dict

from .parts import SinkType, SourceType, StepType
from .sinks import file
from .sources import video
from .steps import events, objects

SOURCES: Dict[str, SourceType] = {**video.TYPES}
STEPS: Dict[str, StepType] = {**objects.TYPES, **events.TYPES}
SINKS: Dict[str, SinkType] = {**file.TYPES}
