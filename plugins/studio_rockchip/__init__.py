"""Rockchip's NPUs as a plugin: their compiler and its simulator on this computer."""
