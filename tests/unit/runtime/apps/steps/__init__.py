"""Tests of the steps of apps."""
