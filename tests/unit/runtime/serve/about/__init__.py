"""Tests of the notice of a server."""
