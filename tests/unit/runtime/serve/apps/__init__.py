"""Tests of apps in a server."""
