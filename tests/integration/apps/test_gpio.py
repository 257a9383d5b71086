"""The sample sink for a pin: the real gpiod, in front of a chip by the kernel's own header.

The module gpio-sim of the kernel would be a better chip; this computer's kernel lacks it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.serve.rig import REPOSITORY

pytestmark = pytest.mark.needs("gcc")

_GPIOD = "gpiod==2.5.0"
_SINK = REPOSITORY / "examples" / "gpio_sink" / "gpio_sink.py"
_RUN = """\
import json, sys
from pathlib import Path
from studio.runtime.apps.catalog import SINKS
from studio.runtime.apps.items import Event, FrameStamp

class Context:
    def file(self, name): return name

file, options, rows = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
kind = SINKS["python"]
sink = kind.make("light", kind.settings(file, options), Context())
events = [
    Event(name, "gate", FrameStamp("camera", 0, 0.0, wall, 0.0), {}, str(at))
    for at, (name, wall) in enumerate(rows)
]
try:
    sink.deliver(events)
except Exception as error:
    print(type(error).__name__, error)
sink.close()
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with gpiod and the chip."""
    folder = tmp_path_factory.mktemp("gpio")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target")
    subprocess.run([*pip, str(folder / "site"), _GPIOD], check=True, timeout=300)
    chip = Path(__file__).with_name("gpio_chip.c")
    out = folder / "chip.so"
    command = ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(out), str(chip), "-ldl"]
    subprocess.run(command, check=True, timeout=120)
    return folder


def volts(
    parts: Path, folder: Path, rows: list[tuple[str, float]], *, busy: bool = False, **options: str
) -> tuple[list[str], str]:
    """Deliver events; the calls that came to the chip, and what was printed."""
    log = folder / "calls"
    log.write_text("")
    given = {"line": "17", "on": "queue-long", "off": "queue-short", **options}
    environment = {
        **os.environ,
        "LD_PRELOAD": str(parts / "chip.so"),
        "GPIO_LOG": str(log),
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{parts / 'site'}",
        **({"GPIO_BUSY": "1"} if busy else {}),
    }
    arguments: list[Any] = [str(_SINK), json.dumps(given), json.dumps(rows)]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return log.read_text().splitlines(), done.stdout.strip()


def test_events_switch_the_line_and_the_end_gives_it_back(parts: Path, tmp_path: Path) -> None:
    now = time.time()
    rows = [("queue-long", now), ("other", now), ("queue-short", now), ("queue-long", now)]
    found, printed = volts(parts, tmp_path, rows)
    assert printed == ""
    assert found == ["edgewright 0", "volts 1", "volts 0", "volts 1", "volts 0"]


def test_a_pulse_ends_and_a_line_has_a_name(parts: Path, tmp_path: Path) -> None:
    found, printed = volts(
        parts, tmp_path, [("queue-long", time.time())], line="LAMP", pulse_s="0.05"
    )
    assert printed == ""
    assert found[1:] == ["volts 1", "volts 0", "volts 0"]


def test_an_event_of_yesterday_switches_nothing(parts: Path, tmp_path: Path) -> None:
    found, _ = volts(parts, tmp_path, [("queue-long", time.time() - 86_400)])
    assert found == ["edgewright 0", "volts 0"]


def test_active_low_is_the_other_voltage(parts: Path, tmp_path: Path) -> None:
    found, _ = volts(parts, tmp_path, [("queue-long", time.time())], active_low="true")
    assert found == ["edgewright 1", "volts 0", "volts 1"]


def test_a_line_that_is_taken_is_an_error_and_the_events_come_again(
    parts: Path, tmp_path: Path
) -> None:
    found, printed = volts(parts, tmp_path, [("queue-long", time.time())], busy=True)
    assert found == []
    assert printed.startswith("OSError")
    assert "busy" in printed
