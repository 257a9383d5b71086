"""Dialogs of the window: conversion, export, recovery, and the archive for support."""
