"""Alerts published to an MQTT broker."""
