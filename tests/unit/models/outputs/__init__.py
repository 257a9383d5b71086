"""Tests of the meaning of outputs."""
