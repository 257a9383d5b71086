"""A client of NATS that publishes to JetStream (the text protocol of NATS 2, with headers)."""

from __future__ import annotations

import json
import os
from typing import Dict, List

from .settings import FleetSettings
from .wire import Wire

_LINE = 64 * 1024
_LONGEST_ANSWER = 1 << 20
_NO_STREAM = "no stream of the broker takes the subject {}"


class NatsLink:
    """A connection to a NATS server, on which one message after the other is acknowledged."""

    def __init__(self, settings: FleetSettings, timeout_s: float) -> None:
        """Connect, with TLS where it is wanted, and log in.

        Raises:
            OSError: in a few words.
        """
        self._subject = "{}.{}".format(settings.topic.replace("/", "."), settings.board)
        # Below the board's name, so that its login may be kept from the answers to others.
        self._inbox = "_INBOX.{}.{}".format(settings.board, os.urandom(11).hex())
        self._wire = Wire(settings, timeout_s)
        try:
            self._most = self._greet(settings)
        except ValueError:
            self._wire.close()
            raise OSError("it does not answer as NATS does") from None
        except BaseException:
            self._wire.close()
            raise

    def _greet(self, settings: FleetSettings) -> int:
        """Log in; return the largest message that the server takes."""
        words = self._words()
        if words[0] != b"INFO":
            raise ValueError("no INFO")
        info = json.loads(words[1])
        secure = settings.address.secure
        if info.get("tls_required") and not secure:
            raise OSError("it wants TLS: write tls:// in its address")
        if secure:
            self._wire.begin_tls()
        login: Dict[str, object] = {
            "verbose": False,
            "pedantic": False,
            "tls_required": secure,
            "name": "edgewright " + settings.board,
            "lang": "python",
            "version": "1",
            "protocol": 1,
            "headers": True,
            "no_responders": True,
        }
        if settings.token:
            login["auth_token"] = settings.token
        elif settings.user:
            login.update(user=settings.user, **{"pass": settings.password})
        hello = "CONNECT {}\r\nPING\r\n".format(json.dumps(login))
        self._wire.send(hello.encode("utf-8"))
        while self._words()[0] != b"PONG":
            pass
        self._wire.send("SUB {}.* 1\r\n".format(self._inbox).encode("ascii"))
        return int(info.get("max_payload", 1 << 20))

    def publish(self, content: bytes, message_id: str) -> None:
        """Publish the state of the board, and wait until a stream has stored it.

        Raises:
            OSError: in a few words, when none has.
        """
        if len(content) > self._most:
            raise OSError("the broker takes no message of {} bytes".format(len(content)))
        head = "NATS/1.0\r\nNats-Msg-Id: {}\r\n\r\n".format(message_id).encode("ascii")
        reply = "{}.{}".format(self._inbox, message_id)
        whole = len(head) + len(content)
        line = "HPUB {} {} {} {}\r\n".format(self._subject, reply, len(head), whole)
        self._wire.send(line.encode("ascii") + head + content + b"\r\n")
        self._check(self._answer(reply))

    def _answer(self, reply: str) -> bytes:
        """Wait for the acknowledgement; empty where no stream listens."""
        while True:
            words = self._words()
            if words[0] not in (b"MSG", b"HMSG"):
                continue
            fields = words[1].split()
            size = int(fields[-1])
            if not 0 <= size <= _LONGEST_ANSWER:
                raise OSError("it does not answer as NATS does")
            content = self._wire.exactly(size + 2)[:-2]
            if fields[0].decode("ascii", "replace") != reply:
                continue  # the answer to an earlier message
            return b"" if words[0] == b"HMSG" else content

    def _check(self, answer: bytes) -> None:
        if not answer:
            raise OSError(_NO_STREAM.format(self._subject))
        try:
            found = json.loads(answer)
            error = found.get("error")
            stored = bool(found.get("stream"))
        except (ValueError, AttributeError, RecursionError):
            raise OSError("it does not answer as NATS does") from None
        if error or not stored:
            text = error.get("description") if isinstance(error, dict) else ""
            raise OSError("the stream refuses: {}".format(str(text or "no reason")[:200]))

    def _words(self) -> List[bytes]:
        """Return the next line as its first word and the rest; answer the server's pings."""
        while True:
            line = self._wire.reader.readline(_LINE)
            if not line.endswith(b"\n"):
                raise OSError("the broker has closed the connection")
            first, _, rest = line.strip().partition(b" ")
            first = first.upper()
            if first == b"PING":
                self._wire.send(b"PONG\r\n")
            elif first == b"-ERR":
                raise OSError("it refuses: {}".format(rest.decode("utf-8", "replace")[:200]))
            else:
                return [first, rest]

    def close(self) -> None:
        """Disconnect."""
        self._wire.close()
