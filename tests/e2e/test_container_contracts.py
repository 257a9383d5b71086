"""What clouds expect of a container, asked of the real image as they would start it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from studio.api import Parcel
from studio.api.testing import Recorder
from tests.rigs.boards import until
from tests.rigs.containers import options, site_at
from tests.rigs.engine import DockerEngine

pytestmark = pytest.mark.rig
ASK = """
import json, sys, urllib.request
port, health, predict = sys.argv[1:]
place = f"http://127.0.0.1:{port}"
assert urllib.request.urlopen(place + health).status == 200
rows = {"instances": [[[[0.5] * 16] * 16] * 3] * 2}
head = {"Content-Type": "application/json"}
request = urllib.request.Request(place + predict, json.dumps(rows).encode(), head)
print(urllib.request.urlopen(request).read().decode())
"""


@pytest.fixture(scope="module")
def image(engine: DockerEngine, parcels: tuple[Parcel, Parcel]) -> Iterator[str]:
    with site_at(engine.socket, "contracts") as site:
        done = site.deploy(parcels[0], options(network="host"), Recorder())
        yield str(done.facts["image"])


@pytest.mark.parametrize(
    ("given", "arguments", "asked"),
    [
        (["--tmpfs", "/opt/ml/model"], ["serve"], ["8080", "/ping", "/invocations"]),
        (
            [
                *("--env", "AIP_HTTP_PORT=9090", "--env", "AIP_HEALTH_ROUTE=/well"),
                *("--env", "AIP_PREDICT_ROUTE=/say"),
            ],
            [],
            ["9090", "/well", "/say"],
        ),
        (["--env", "AZUREML_MODEL_DIR=/opt/edgewright"], [], ["5001", "/", "/score"]),
        ([], [], ["8477", "/v2/health/live", "/v1/models/cnn:predict"]),
    ],
    ids=["SageMaker", "Vertex AI", "Azure ML", "KServe v1"],
)
def test_a_cloud_starts_it_and_asks(
    engine: DockerEngine, image: str, given: list[str], arguments: list[str], asked: list[str]
) -> None:
    walls = ("--detach", "--network", "none", "--read-only", "--cap-drop", "ALL")
    container = engine.run("run", *walls, *given, image, *arguments).strip()
    health = ("inspect", "--format", "{{.State.Health.Status}}", container)
    # The health check finds the port that the platform has chosen.
    until(lambda: engine.run(*health).strip() == "healthy", "the container is healthy", 60)
    answer = json.loads(engine.run("exec", container, "python3", "-c", ASK, *asked))
    rows = answer if isinstance(answer, list) else answer["predictions"]
    assert len(rows) == 2
    engine.run("rm", "--force", container)
