"""The options of the ``serve`` command."""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path
from typing import List, NamedTuple, Optional

from .errors import CannotListen


class Options(NamedTuple):
    """How to serve; sizes in bytes, times in seconds.

    Attributes:
        root: Folder of releases; exactly one of root, bundle, model and models is given.
        models: Folder of models that are loaded and unloaded by their names.
        request_s: Until an answer must be there; 0 for no limit.
        hang_s: Without a sign of life from a worker, until its supervisor replaces it; 0 for ever.
        grpc_port: Where gRPC is spoken, 0 for a free port; None for nowhere.
        on_demand: Of the folder of models, load none before somebody asks for it.
        token_file: File with the bearer token that clients must send.
        certificate: File with the server's certificate chain; TLS is spoken when it is given.
        key: File with the certificate's private key.
        threads: Of one inference; 0 to choose by measuring.
        workers: Inferences at the same time; 0 to choose by measuring.
        max_batch: Rows of several requests that are run together; 0 to choose by measuring.
        queue: Requests that may wait for a worker.
        log_rate: Requests logged a second, at most.
        gate: Folder that is shared with a gate, whose clients are answered too, in turn.
        listener: File descriptor of a listening socket that a supervisor holds; -1 without one.
        control: File descriptor of the socket to that supervisor; -1 without one.
        generation: Number that a supervisor gave to what is served.
    """

    root: Optional[Path]
    bundle: Optional[Path]
    model: Optional[Path]
    models: Optional[Path]
    host: str
    port: int
    threads: int
    workers: int
    max_batch: int
    queue: int
    max_body: int
    max_connections: int
    drain_s: float
    request_s: float
    log_rate: float
    grpc_port: Optional[int] = None
    on_demand: bool = False
    token_file: Optional[Path] = None
    certificate: Optional[Path] = None
    key: Optional[Path] = None
    gate: Optional[Path] = None
    listener: int = -1
    control: int = -1
    generation: int = 1
    hang_s: float = 30.0

    def for_worker(self, bundle: Path, listener: int, control: int, generation: int) -> List[str]:
        """The command line of a worker that serves a bundle for a supervisor."""
        given = {
            "bundle": bundle,
            "threads": self.threads,
            "workers": self.workers,
            "max-batch": self.max_batch,
            "queue": self.queue,
            "max-body-mb": self.max_body >> 20,
            "max-connections": self.max_connections,
            "drain-seconds": self.drain_s,
            "request-seconds": self.request_s,
            "log-requests-per-second": self.log_rate,
            "listener": listener,
            "control": control,
            "generation": generation,
            "grpc-port": self.grpc_port,
            "token-file": self.token_file,
            "cert": self.certificate,
            "key": self.key,
        }
        return ["--{}={}".format(name, value) for name, value in given.items() if value is not None]


def parse(arguments: List[str]) -> Options:
    """Read a command line; argparse ends the process with status 2 when it is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.cert is None) != (given.key is None):
        parser.error("--cert and --key belong together")
    if given.on_demand and given.models is None:
        parser.error("--on-demand belongs to --models")
    return Options(
        root=given.root,
        bundle=given.bundle,
        model=given.model,
        models=given.models,
        host=given.host,
        port=given.port,
        threads=given.threads,
        workers=given.workers,
        max_batch=given.max_batch,
        queue=given.queue,
        max_body=given.max_body_mb << 20,
        max_connections=given.max_connections,
        drain_s=given.drain_seconds,
        request_s=given.request_seconds,
        log_rate=given.log_requests_per_second,
        grpc_port=given.grpc_port,
        on_demand=given.on_demand,
        token_file=given.token_file,
        certificate=given.cert,
        key=given.key,
        gate=given.gate,
        listener=given.listener,
        control=given.control,
        generation=given.generation,
        hang_s=given.hang_seconds,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serve",
        description="Serve a model over HTTP.",
        # To ask for the terminal's width argparse loads every compression that Python knows.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100),
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", type=_path, help="folder of releases; serves the current one")
    source.add_argument("--bundle", type=_path, help="folder of one bundle")
    source.add_argument("--model", type=_path, help="model file")
    source.add_argument("--models", type=_path, help="folder of models, each with its versions")
    add("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    add("--port", type=_port, default=8477, help="port, 0 for a free one (%(default)s)")
    add("--grpc-port", type=_port, help="speak gRPC there too, 0 for a free port (needs grpcio)")
    add("--threads", type=_count, default=0, help="threads of one inference (0: measure)")
    add("--workers", type=_count, default=0, help="inferences at the same time (0: measure)")
    add("--max-batch", type=_count, default=0, help="rows run together (0: measure, 1: none)")
    add("--queue", type=_count, default=64, help="requests that may wait (%(default)s)")
    add("--max-body-mb", type=_positive, default=64, help="size of a request (%(default)s)")
    add("--max-connections", type=_positive, default=1024, help="clients (%(default)s)")
    add("--drain-seconds", type=float, default=10.0, help="to end requests (%(default)s)")
    add("--request-seconds", type=float, default=60.0, help="until the answer (0: no limit)")
    add("--on-demand", action="store_true", help="of --models, load what is asked for alone")
    add("--hang-seconds", type=float, default=30.0, help="silence of a worker (0: no limit)")
    add("--token-file", type=_path, help="clients must send this token (or: $EDGEWRIGHT_TOKEN)")
    add("--cert", type=_path, help="certificate chain; with it the server speaks TLS")
    add("--key", type=_path, help="private key of the certificate")
    add("--log-requests-per-second", type=float, default=1.0, help="at most (%(default)s)")
    add("--gate", type=_path, help=argparse.SUPPRESS)
    for name in ("--listener", "--control"):
        add(name, type=int, default=-1, help=argparse.SUPPRESS)
    add("--generation", type=int, default=1, help=argparse.SUPPRESS)
    return parser


def _path(text: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(text)))


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return value


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises:
        CannotListen: when the address is unknown, taken, or not allowed.
    """
    listener = _bound(host, port)
    try:
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    listener.setblocking(False)
    return listener


def reserve(host: str, port: int) -> socket.socket:
    """A socket that keeps a port for processes of this user, who listen there themselves.

    Raises:
        CannotListen: when the address is unknown, taken, or not allowed.
    """
    with listen(host, port) as alone:  # to share a port with a stranger is no way to get it
        free = int(alone.getsockname()[1])
    return _bound(host, free, shared=True)


def _bound(host: str, port: int, shared: bool = False) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            # As bytes: for text Python loads the tables of international names.
            host.encode("ascii") if host.isascii() else host,
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    option = socket.SO_REUSEPORT if shared else socket.SO_REUSEADDR
    try:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    place = "port {} of {}".format(port, host)
    return CannotListen("Cannot listen at {}: {}.".format(place, error.strerror))
