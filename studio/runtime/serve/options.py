"""The options of the ``serve`` command, and the sockets that they speak of."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

from .errors import CannotListen

ALLOWED_HOSTS = "EDGEWRIGHT_ALLOWED_HOSTS"
"""Variable with more of the names, separated by commas; a supervisor sets it for its workers, as
those of an older release do not know the option."""


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
        allowed_hosts: Names under which the server answers beside its own (see ``hosts``).
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
    allowed_hosts: Tuple[str, ...] = ()
    gate: Optional[Path] = None
    listener: int = -1
    control: int = -1
    generation: int = 1
    hang_s: float = 30.0

    @property
    def place(self) -> Optional[Path]:
        """A folder on the disk that what is served lies on, and that outlives a release."""
        one = self.bundle or self.model
        return self.root or self.models or (None if one is None else one.parent)

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
