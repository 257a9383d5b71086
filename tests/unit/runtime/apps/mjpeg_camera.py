"""A network camera as a process: pictures as MJPEG over HTTP, to be killed or stopped by a test."""

from __future__ import annotations

import argparse
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np


def picture(width: int, height: int, number: int) -> bytes:
    """A grey JPEG whose brightness is its number."""
    pixels = np.full((height, width, 3), number % 256, np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


class Handler(BaseHTTPRequestHandler):
    """One client of the camera."""

    options: argparse.Namespace

    def do_GET(self) -> None:
        """Send pictures at the camera's pace, for as long as the client stays."""
        if self.path == "/still.jpg":
            self._still()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        began, number = time.monotonic(), 0
        try:
            while True:
                self._send(self._content(number))
                number += 1
                time.sleep(max(0.0, began + number / self.options.fps - time.monotonic()))
        except OSError:
            return

    def _content(self, number: int) -> bytes:
        if self.options.wrong_codec:
            return b"\x00\x00\x00\x01h264" * 50
        change = self.options.resize_after
        width = 320 if change and number >= change else 160
        return picture(width, 120, number)

    def _send(self, content: bytes) -> None:
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
        self.wfile.write(head.encode() + content[: len(content) // 2])
        self.wfile.flush()
        self.wfile.write(content[len(content) // 2 :] + b"\r\n")

    def _still(self) -> None:
        content = picture(160, 120, 7)
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


class Server(ThreadingHTTPServer):
    """The camera's server, which can begin again at once at the same port."""

    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--fps", type=float, default=20.0)
    parser.add_argument("--resize-after", type=int, default=0)
    parser.add_argument("--wrong-codec", action="store_true")
    Handler.options = parser.parse_args()
    server = Server(("127.0.0.1", Handler.options.port), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
