"""An app's process that stores events in a burst and delivers them by MQTT until it is killed."""

from __future__ import annotations

import sys
import time

from studio.runtime.apps.catalog import SINKS
from studio.runtime.apps.graph import Sink
from studio.runtime.apps.sinks.delivery import SinkWorkers
from studio.runtime.apps.sinks.mqtt import MqttSettings
from studio.runtime.apps.sinks.outbox import Outbox
from tests.unit.runtime.apps.parts import Context, event


def main(folder: str, port: int, first: int, last: int) -> None:
    """Report each event that the store has taken, as its number and id."""
    outbox = Outbox(folder, "yard", sinks=("broker",))
    settings = MqttSettings("127.0.0.1", port, timeout_s=2.0)
    workers = SinkWorkers([Sink("broker", SINKS["mqtt"], settings, ("gate",))], Context(), outbox)
    workers.start()
    for number in range(first, last):
        (stored,) = outbox.add([event(number, text="x" * 200)])
        sys.stdout.write(f"{number} {stored.id}\n")
        sys.stdout.flush()
    while outbox.waiting("broker"):
        time.sleep(0.02)
    workers.stop()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
