"""Tests of evidence about versions."""
