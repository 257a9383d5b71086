"""Text to speech: phonemes of a text, runs of a voice, and sound as a WAV file."""
