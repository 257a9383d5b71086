"""Jobs on other computers: their documents and files, and the worker that stands for one here."""
