"""Arm Ethos-U and microcontrollers as a plugin: Vela and TFLite Micro."""
