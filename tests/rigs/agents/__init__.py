"""An agent that obeys every text it reads, and a person who approves at a terminal."""
