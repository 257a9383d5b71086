"""Long steps on other computers: their documents and files, and their workers as seen from here."""
