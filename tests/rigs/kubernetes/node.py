"""The fake's node: runs the real runtime for the images and ConfigMaps that pods name."""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.rigs.patience import patience

Json = dict[str, Any]
LookUp = Any


class Server:
    """One process of the runtime, shared by the pods of one image."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._output = log.open("wb")
        self._process = subprocess.Popen(
            command, stdout=self._output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )

    def ready(self) -> bool:
        """Whether it would get requests."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/v2/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait()
        self._output.close()


class Node:
    """Starts servers, and gives pods the state that they would have.

    Args:
        images: Image, also of a model by digest -> bundle folder; others cannot be pulled.
        runtime: The zip application.
    """

    def __init__(self, folder: Path, images: dict[str, Path], runtime: Path | None) -> None:
        self._folder = folder
        self._images = images
        self._runtime = runtime
        self._servers: dict[str, Server] = {}

    def start(self, pod: Json, config_map: LookUp) -> Server | None:
        """The server of a pod; None where its image is no known one."""
        container = pod["spec"]["containers"][0]
        key = pod["metadata"]["labels"].get("edgewright/release", "") + container["image"]
        if key in self._servers:
            return self._servers[key]
        folder = self._folder / re.sub(r"\W", "_", key)
        model = _model_image(pod)
        if model and model not in self._images:
            return None
        if container.get("command"):
            bundle, runtime = _mounts(pod, folder, config_map)
            bundle = self._images[model] if model else bundle
        else:
            found = self._images.get(container["image"])
            if found is None or self._runtime is None:
                return None
            bundle, runtime = found, self._runtime
        folder.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        command = [sys.executable, str(runtime), "serve", "--bundle", str(bundle)]
        command += ["--port", str(port), "--threads", "1", "--workers", "1", "--max-batch", "1"]
        server = self._servers[key] = Server(command, port, folder / "log")
        return server

    def of(self, pod: Json) -> Server | None:
        """The server of a pod that was started."""
        container = pod["spec"]["containers"][0]
        key = pod["metadata"]["labels"].get("edgewright/release", "") + container["image"]
        return self._servers.get(key)

    def stop(self) -> None:
        """End all servers."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()


def _mounts(pod: Json, folder: Path, config_map: LookUp) -> tuple[Path, Path]:
    """ConfigMaps as a kubelet lays them out: a folder of links into a hidden one."""
    places = {}
    for volume in pod["spec"]["volumes"]:
        source = volume.get("configMap")
        if source is None:
            continue
        content = config_map(source["name"]).get("binaryData") or {}
        items = source.get("items") or [{"key": key, "path": key} for key in content]
        place = places[volume["name"]] = folder / volume["name"]
        real = place / "..2026_01_01"
        for item in items:
            path = real / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content[item["key"]]))
        (place / "..data").symlink_to(real.name)
        for top in {item["path"].split("/")[0] for item in items}:
            (place / top).symlink_to(f"..data/{top}")
    return places.get("bundle", folder), places["runtime"] / "runtime.pyz"


def _model_image(pod: Json) -> str:
    """The reference of an image volume; empty where the pod has none."""
    found = [volume["image"]["reference"] for volume in pod["spec"]["volumes"] if "image" in volume]
    return str(found[0]) if found else ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait(condition: Any, seconds: float) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + patience(seconds)
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
