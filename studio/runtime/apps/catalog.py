"""All kinds of sources, steps and sinks by their names."""

from __future__ import annotations

from typing import Dict

from .parts import SinkType, SourceType, StepType
from .sinks import file
from .sources import video
from .steps import events, line, objects, queue_length, rules, speed, tracker, zone

SOURCES: Dict[str, SourceType] = {**video.TYPES}
STEPS: Dict[str, StepType] = {
    **objects.TYPES,
    **tracker.TYPES,
    **line.TYPES,
    **zone.TYPES,
    **speed.TYPES,
    **queue_length.TYPES,
    **rules.TYPES,
    **events.TYPES,
}
SINKS: Dict[str, SinkType] = {**file.TYPES}
