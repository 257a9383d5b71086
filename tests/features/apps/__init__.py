"""Tests of apps on the desk."""
