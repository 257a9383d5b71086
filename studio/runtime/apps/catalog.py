"""All kinds of sources, steps and sinks by their names."""

from __future__ import annotations

from typing import Dict

from .parts import SinkType, SourceType, StepType
from .sinks import file, webhook
from .sinks import mjpeg as mjpeg_sink
from .sinks import mqtt as mqtt_sink
from .sinks import own as own_sink
from .sources import folder, mjpeg, mqtt, sound, table, video
from .steps import (
    assess,
    classify,
    compare,
    events,
    features,
    line,
    objects,
    own,
    pictures,
    queue_length,
    rules,
    signals,
    slots,
    speed,
    states,
    tracker,
    zone,
)

SOURCES: Dict[str, SourceType] = {
    **video.TYPES,
    **mjpeg.TYPES,
    **folder.TYPES,
    **table.TYPES,
    **sound.TYPES,
    **mqtt.TYPES,
}
STEPS: Dict[str, StepType] = {
    **objects.TYPES,
    **classify.TYPES,
    **pictures.TYPES,
    **slots.TYPES,
    **tracker.TYPES,
    **line.TYPES,
    **zone.TYPES,
    **speed.TYPES,
    **queue_length.TYPES,
    **rules.TYPES,
    **states.TYPES,
    **compare.TYPES,
    **events.TYPES,
    **signals.TYPES,
    **features.TYPES,
    **assess.TYPES,
    **own.TYPES,
}
SINKS: Dict[str, SinkType] = {
    **file.TYPES,
    **webhook.TYPES,
    **mqtt_sink.TYPES,
    **mjpeg_sink.TYPES,
    **own_sink.TYPES,
}
