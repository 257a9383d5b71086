"""The main window and its own parts: rail, top bar, docks, palette, start."""
