"""A local port whose connections come out in a pod: port-forward through the API."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any

from kubernetes import client as k8s
from kubernetes.stream import portforward

_PIECE = 65536


class PodTunnel:
    """Forwards until it is closed; each connection is a websocket of its own.

    Args:
        configuration: Of the context; each connection gets a client of its own, since the
            client's port-forward is not made for threads.
    """

    def __init__(
        self, configuration: k8s.Configuration, namespace: str, pod: str, port: int
    ) -> None:
        self._configuration = configuration
        self._pod = (pod, namespace, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._closed = False
        self.host, self.port = self._listener.getsockname()
        self._accepting = threading.Thread(target=self._accept, name=f"forward-{pod}", daemon=True)
        self._accepting.start()

    def __enter__(self) -> PodTunnel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop forwarding, and end what is still open."""
        self._closed = True
        with contextlib.suppress(OSError):  # wakes the thread that accepts
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            _end(one)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._forward, args=(connection,), daemon=True).start()

    def _forward(self, connection: socket.socket) -> None:
        api = k8s.ApiClient(self._configuration)
        pod, namespace, port = self._pod
        remote: Any = None
        try:
            way = portforward(
                k8s.CoreV1Api(api).connect_get_namespaced_pod_portforward,
                pod,
                namespace,
                ports=str(port),
            )
            remote = way.socket(port)
            back = threading.Thread(target=_pump, args=(remote, connection), daemon=True)
            back.start()
            _pump(connection, remote)
            back.join()
        except Exception:  # whatever the library raises, the caller sees a connection that ends
            _end(connection)
        finally:
            self._open.discard(connection)
            connection.close()
            if remote is not None:  # the library's thread sees it, and ends the websocket
                remote.close()
            api.close()


def _pump(source: Any, sink: Any) -> None:
    """Copy until either side ends, then end the other."""
    try:
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    except OSError:
        pass
    _end(sink)


def _end(connection: Any) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
