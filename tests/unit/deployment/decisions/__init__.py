"""Tests of the studio's reading of the record of decisions."""
