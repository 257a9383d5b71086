"""One document on its way to a collector."""

from __future__ import annotations

import http.client
import json
import ssl

from ...shared.web_address import WebAddress
from .settings import ExportSettings
from .values import Json

_LONGEST_ANSWER = 65536


def post(address: WebAddress, settings: ExportSettings, document: Json, wait_s: float) -> None:
    """Post a document; redirects are not followed, as headers may hold a token.

    Args:
        wait_s: Seconds for each step of the request.

    Raises:
        OSError: when it fails, in a few words.
    """
    body = json.dumps(document, separators=(",", ":")).encode("ascii")
    headers = {**settings.headers, "Content-Type": "application/json"}
    link = address.connection(wait_s, settings.ca)
    try:
        link.request("POST", address.target, body, headers)
        answer = link.getresponse()
        answer.read(_LONGEST_ANSWER)
    except ssl.SSLCertVerificationError:
        raise OSError("its certificate is not valid") from None
    except ValueError:  # its text has the header, which may be a token
        raise OSError("a header cannot be sent") from None
    except http.client.HTTPException:
        raise OSError("it does not answer in HTTP") from None
    finally:
        link.close()
    if not 200 <= answer.status < 300:
        raise OSError("it answers with {} to {}".format(answer.status, address.target[:200]))
