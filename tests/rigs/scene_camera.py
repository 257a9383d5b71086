"""A network camera as a process: a scene with true crossings as MJPEG over HTTP.

The scene runs whether or not a client looks, as the street does before a real camera. Crossings
are written to standard output as JSON lines with their time on the monotonic clock.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from tests.rigs.apps import FPS, Scene


class Street:
    """The scene, frame by frame, for any number of clients."""

    def __init__(self, seed: int, fps: float) -> None:
        self.came = threading.Condition()
        self.number = 0
        self.content = b""
        self._scene = Scene(seed)
        self._fps = fps

    def run(self) -> None:
        """Show frames at the camera's pace."""
        began = time.monotonic()
        while True:
            pixels, crossings = self._scene.next()
            content = bytes(cv2.imencode(".jpg", pixels)[1])
            with self.came:
                self.number += 1
                self.content = content
                self.came.notify_all()
            for direction in crossings:
                print(json.dumps({"at_s": time.monotonic(), "direction": direction}), flush=True)
            time.sleep(max(0.0, began + self.number / self._fps - time.monotonic()))


def handler(street: Street) -> type[BaseHTTPRequestHandler]:
    """Return the class that serves a street to one client."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            seen = -1
            try:
                while True:
                    with street.came:
                        while street.number == seen:
                            street.came.wait()
                        seen, content = street.number, street.content
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}"
                    self.wfile.write(head.encode() + b"\r\n\r\n" + content + b"\r\n")
            except OSError:
                return

        def log_message(self, *given: object) -> None:
            """Write nothing: standard output has the truth."""

    return Handler


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fps", type=float, default=FPS)
    options = parser.parse_args()
    street = Street(options.seed, options.fps)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler(street))
    print(json.dumps({"port": server.server_port}), flush=True)
    threading.Thread(target=street.run, daemon=True).start()
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
