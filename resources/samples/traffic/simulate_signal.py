"""Waiting times at a simulated crossing: fixed green times against the queue events of the app.

The vehicles of SUMO (Eclipse, EPL-2.0) are given to the steps ``queue-right`` and ``busy-right`` of
app.toml next to this file, as if a faultless detector saw each approach. Their events
``queue-long`` and ``queue-long-ended`` lengthen and shorten the green times. Use an environment of
its own:

    python -m venv sumo
    sumo/bin/pip install eclipse-sumo==1.28.0 traci==1.28.0 edgewright
    sumo/bin/python simulate_signal.py --seeds 10
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import math
import os
import random
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import sumo
import traci

from studio.runtime.apps.catalog import STEPS
from studio.runtime.apps.items import Event, FrameStamp, Objects
from studio.runtime.apps.settings import read_settings

SECONDS = 1800
APPROACHES = {"west": "main", "east": "main", "south": "side", "north": "side"}
EDGES = {"west": "left0A0", "east": "right0A0", "south": "bottom0A0", "north": "top0A0"}
OPPOSITE = {"west": "east", "east": "west", "south": "north", "north": "south"}
AN_HOUR = {"main": 600, "side": 250}
"""Vehicles on each approach."""

SEEN_M = 80.0
"""Before the stop line, as far as a camera sees."""

SATURATION_AN_HOUR = 1800
"""Vehicles that pass a green light on one lane."""

CYCLE_S, YELLOW_S, LEAST_S, MOST_S, USUAL_S = 60.0, 3.0, 8.0, 45.0, 25.0
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14)
"""Two-sided 95 % of Student's t, from one degree of freedom on."""

Policy = Callable[[str, float], bool]
"""Whether a green ends, from the direction that has it and its seconds."""


class QueueWatch:
    """Steps of the app on one approach: a queue, and the rule that makes events of it."""

    def __init__(self, approach: str, document: dict[str, Any]) -> None:
        area = [[0.0, -1.0], [SEEN_M, -1.0], [SEEN_M, 3.0], [0.0, 3.0]]
        queue = {**document["steps"]["queue-right"], "area": area}
        self._queue = _made("queue", approach, queue)
        self._rule = _made("rule", approach, document["steps"]["busy-right"])
        self._ids: dict[str, int] = {}
        self.is_long = False

    def look(self, time: float, vehicles: Sequence[tuple[str, float, float]]) -> list[Event]:
        """Take the vehicles at one time: name, metres to the stop line, and length."""
        ids = [self._ids.setdefault(name, len(self._ids)) for name, _, _ in vehicles]
        corners = np.array([[at, 0.0, at + length, 1.5] for _, at, length in vehicles])
        objects = Objects(
            pixels=np.zeros((0, 0, 3), np.uint8),
            corners=corners.reshape(-1, 4),
            scores=np.ones(len(ids)),
            labels=("car",) * len(ids),
            ids=np.array(ids, dtype=np.int64),
        )
        stamp = FrameStamp("simulation", int(time), time, time, 0.0)
        values = self._queue.process(stamp, objects).value
        events = list(self._rule.process(stamp, values).events)
        for event in events:
            self.is_long = event.kind == "queue-long"
        return events


def _made(kind: str, name: str, written: dict[str, Any]) -> Any:
    settings = {key: value for key, value in written.items() if key not in ("type", "input")}
    form = STEPS[kind].settings
    return STEPS[kind].make(name, read_settings(form, settings, name), None)  # type: ignore[arg-type]


def fixed(cycle_s: float, share: float) -> Callable[[dict[str, QueueWatch]], Policy]:
    """Return a policy with the same green times in each cycle.

    Args:
        cycle_s: With both yellow times.
        share: Of the green time for the main road.
    """
    green_s = cycle_s - 2 * YELLOW_S
    greens = {"main": green_s * share, "side": green_s * (1 - share)}
    return lambda watches: lambda direction, seconds: seconds >= greens[direction]


def webster_s() -> float:
    """Return the cycle of Webster's formula for the demand: the best fixed one, in theory."""
    load = sum(AN_HOUR.values()) / SATURATION_AN_HOUR
    return (1.5 * 2 * YELLOW_S + 5) / (1 - load)


def by_queues(watches: dict[str, QueueWatch]) -> Policy:
    """Return a policy that follows the events of the app."""

    def ends(direction: str, seconds: float) -> bool:
        own = any(one.is_long for name, one in watches.items() if APPROACHES[name] == direction)
        other = any(one.is_long for name, one in watches.items() if APPROACHES[name] != direction)
        if seconds < LEAST_S:
            return False
        if other and not own:
            return True
        return seconds >= (MOST_S if own else USUAL_S)

    return ends


def network(folder: Path) -> Path:
    """Make a crossing with a signal and four approaches of 300 m, one lane each."""
    path = folder / "crossing.net.xml"
    words = ["--grid", "--grid.number=1", "--grid.attach-length=300", "--default.lanenumber=1"]
    words += ["--default-junction-type=traffic_light", "--no-turnarounds", f"--output-file={path}"]
    _run("netgenerate", *words)
    return path


def demand(folder: Path, seed: int, swaps: bool) -> Path:
    """Write vehicles that come at random times and go straight on.

    Args:
        swaps: Whether the main road and the side road change places after half of the time.
    """
    chance = random.Random(seed)
    departures = []
    for approach, direction in APPROACHES.items():
        time = 0.0
        other = "side" if direction == "main" else "main"
        while True:
            now = other if swaps and time > SECONDS / 2 else direction
            time += chance.expovariate(AN_HOUR[now] / 3600)
            if time >= SECONDS:
                break
            away = EDGES[OPPOSITE[approach]].removesuffix("A0")
            departures.append((time, f"{EDGES[approach]} A0{away}"))
    lines = [
        f'<vehicle id="v{number}" depart="{time:.1f}"><route edges="{edges}"/></vehicle>'
        for number, (time, edges) in enumerate(sorted(departures))
    ]
    path = folder / f"demand-{seed}.rou.xml"
    path.write_text("<routes>" + "\n".join(lines) + "</routes>")
    return path


def waiting_s(
    folder: Path,
    net: Path,
    seed: int,
    policy: Callable[[dict[str, QueueWatch]], Policy],
    document: dict[str, Any],
    swaps: bool,
) -> float:
    """Run a simulation to its last vehicle; return the mean seconds that a vehicle stood still."""
    trips = folder / "trips.xml"
    program = str(Path(sumo.SUMO_HOME) / "bin" / "sumo")
    words = [program, "-n", str(net), "-r", str(demand(folder, seed, swaps)), "--seed", str(seed)]
    words += ["--tripinfo-output", str(trips), "--no-step-log", "--no-warnings"]
    words += ["--time-to-teleport", "-1"]
    with contextlib.redirect_stdout(io.StringIO()):  # it reports each try to connect
        traci.start(words, stdout=subprocess.DEVNULL)
    with closing(traci):
        watches = {name: QueueWatch(name, document) for name in APPROACHES}
        _drive(watches, policy(watches))
    rows = ElementTree.parse(trips).getroot().findall("tripinfo")
    return sum(float(row.get("waitingTime", "nan")) for row in rows) / len(rows)


def _drive(watches: dict[str, QueueWatch], ends: Policy) -> None:
    (signal,) = traci.trafficlight.getIDList()
    states = _states(signal)
    directions = itertools.cycle(["main", "side"])
    direction, began, yellow_until = next(directions), 0.0, 0.0
    traci.trafficlight.setRedYellowGreenState(signal, states[direction])
    while traci.simulation.getMinExpectedNumber() > 0:
        traci.simulationStep()
        now = traci.simulation.getTime()
        for name, watch in watches.items():
            watch.look(now, list(_vehicles(EDGES[name])))
        if yellow_until:
            if now >= yellow_until:
                direction, began, yellow_until = next(directions), now, 0.0
                traci.trafficlight.setRedYellowGreenState(signal, states[direction])
        elif ends(direction, now - began):
            yellow_until = now + YELLOW_S
            state = states[direction].replace("G", "y")
            traci.trafficlight.setRedYellowGreenState(signal, state)


def _vehicles(edge: str) -> Iterator[tuple[str, float, float]]:
    for name in traci.edge.getLastStepVehicleIDs(edge):
        ahead = traci.lane.getLength(f"{edge}_0") - traci.vehicle.getLanePosition(name)
        if ahead <= SEEN_M:
            yield name, ahead, traci.vehicle.getLength(name)


def _states(signal: str) -> dict[str, str]:
    """Return the state in which each direction has green, and the other one red."""
    links = [one[0][0].rsplit("_", 1)[0] for one in traci.trafficlight.getControlledLinks(signal)]
    approach = {edge: name for name, edge in EDGES.items()}
    return {
        wanted: "".join("G" if APPROACHES[approach[one]] == wanted else "r" for one in links)
        for wanted in ("main", "side")
    }


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half of its 95 % confidence interval."""
    array = np.asarray(values)
    freedom = len(array) - 1
    quantile = _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else 2.1
    return float(array.mean()), quantile * float(array.std(ddof=1)) / math.sqrt(len(array))


def _run(program: str, *words: str) -> None:
    path = Path(sumo.SUMO_HOME) / "bin" / program
    done = subprocess.run([str(path), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{program} failed: {done.stderr}")


def main() -> int:
    """Print the mean waiting times of the policies, and their differences."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="number of simulations [default: 10]")
    parser.add_argument(
        "--swap", action="store_true", help="the busy road changes after half of the time"
    )
    given = parser.parse_args()
    count = given.seeds
    if count < 2:
        parser.error("--seeds is 2 or more: an interval needs several simulations")
    os.environ["SUMO_HOME"] = str(sumo.SUMO_HOME)
    document = tomllib.loads(Path(__file__).with_name("app.toml").read_text("utf-8"))
    # Over the whole time both roads are equal where they change places.
    share = 0.5 if given.swap else AN_HOUR["main"] / sum(AN_HOUR.values())
    policies = {
        "fixed 60 s, equal": fixed(CYCLE_S, 0.5),
        "fixed 60 s, by demand": fixed(CYCLE_S, share),
        f"fixed {webster_s():.0f} s (Webster)": fixed(webster_s(), share),
        "by queue events": by_queues,
    }
    with tempfile.TemporaryDirectory() as name:
        net = network(Path(name))
        found = {
            title: [
                waiting_s(Path(name), net, seed, policy, document, given.swap)
                for seed in range(1, count + 1)
            ]
            for title, policy in policies.items()
        }
    print(f"Mean seconds that a vehicle stands still, {count} seeds, 95 % intervals")
    for title, values in found.items():
        print("  {:24} {:6.1f} ± {:.1f}".format(title, *interval(values)))
    own = np.asarray(found.pop("by queue events"))
    print("Difference of the queue events, on the same vehicles")
    for title, values in found.items():
        print("  to {:21} {:+6.1f} ± {:.1f}".format(title, *interval(own - np.asarray(values))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
