"""Reads requests (JSON on standard input) with CloudEvents' own SDK and prints the events."""

import base64
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event

found = []
for one in json.load(sys.stdin):
    event = from_http_event(HTTPMessage(one["headers"], base64.b64decode(one["body"])))
    attributes = {name: str(value) for name, value in event.get_attributes().items()}
    found.append({"attributes": attributes, "data": event.get_data()})
json.dump(found, sys.stdout)
