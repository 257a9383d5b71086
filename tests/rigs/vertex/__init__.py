"""A loopback Vertex AI whose requests and answers fit Google's own discovery documents."""

from tests.rigs.vertex.fake import FakeVertex as FakeVertex
