"""Events as JSON by POST to a web address."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from typing import Dict, NamedTuple, Sequence

from ...shared.web_address import WebAddress, require_receiver, web_address
from ..items import Event
from ..parts import AppContext, RefusedError, SinkType
from ..settings import AppError

_LOGIN = frozenset([401, 403, 407])
_AGAIN = frozenset([408, 425, 429])
_LONGEST_ANSWER = 65536


class WebhookSettings(NamedTuple):
    """Settings of a webhook.

    Attributes:
        url: Address of the receiver, ``https://`` or ``http://``.
        token: Sent as a bearer token; write ``${VARIABLE}``, not the token itself.
        timeout_s: Seconds for each step of a request.
    """

    url: str
    token: str = ""
    timeout_s: float = 10.0


class Webhook:
    """Posts batches of events as ``{"events": [...]}``.

    Certificates are verified, and redirects are not followed: a token would travel to another
    host. Every 2xx status is a success. Of the 4xx, 408, 425 and 429 mean later. 401, 403 and 407
    mean that the token is wrong: the events wait until it is corrected. The others mean that the
    receiver refuses these events.
    """

    def __init__(self, name: str, settings: WebhookSettings, context: AppContext) -> None:
        """Read the address.

        Raises:
            AppError: when it is no web address.
        """
        self._address = _address(name, settings.url)
        self._host = self._address.host
        self._settings = settings
        if not 0 < settings.timeout_s <= 300:
            raise AppError("sinks.{}: timeout_s is from 0 to 300.".format(name))
        if any(ord(one) < 33 or ord(one) > 126 for one in settings.token):
            raise AppError("sinks.{}: token has a character that is not allowed.".format(name))

    def deliver(self, events: Sequence[Event]) -> None:
        """Post the events as one request.

        Raises:
            RefusedError: when the receiver refuses them.
            OSError: when it does not answer, or has no success.
        """
        status = self._post(events)
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise OSError("{} redirects ({}), which is not followed".format(self._host, status))
        if status in _LOGIN:
            raise OSError("{} refuses the token ({})".format(self._host, status))
        if 400 <= status < 500 and status not in _AGAIN:
            raise RefusedError("{} refuses the events ({})".format(self._host, status))
        raise OSError("{} answers with {}".format(self._host, status))

    def _post(self, events: Sequence[Event]) -> int:
        body = json.dumps({"events": [event.to_json() for event in events]}).encode("ascii")
        link = self._address.connection(self._settings.timeout_s)
        try:
            self._address.require_receiver()
            link.connect()
            require_receiver(link.sock.getpeername()[0])  # the name may have changed its address
            link.request("POST", self._address.target, body, self._headers(events))
            answer = link.getresponse()
            answer.read(_LONGEST_ANSWER)
            return answer.status
        except ssl.SSLCertVerificationError:
            raise OSError("the certificate of {} is not valid".format(self._host)) from None
        except socket.timeout:
            raise OSError("{} does not answer".format(self._host)) from None
        except http.client.HTTPException:
            raise OSError("{} does not answer in HTTP".format(self._host)) from None
        except OSError as error:
            text = str(error.strerror or error)
            raise OSError("{} cannot be reached: {}".format(self._host, text)) from error
        finally:
            link.close()

    def _headers(self, events: Sequence[Event]) -> Dict[str, str]:
        key = "{}:{}:{}".format(events[0].id, events[-1].id.rpartition("-")[2], len(events))
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self._settings.token:
            headers["Authorization"] = "Bearer " + self._settings.token
        return headers

    def close(self) -> None:
        """Nothing is held between deliveries."""


def _address(name: str, url: str) -> WebAddress:
    try:
        return web_address(url)
    except ValueError:
        sentence = "sinks.{}: url is an address such as https://host/path."
        raise AppError(sentence.format(name)) from None


TYPES: Dict[str, SinkType] = {
    "webhook": SinkType("webhook", "JSON by POST to a web address", WebhookSettings, Webhook)
}
