"""One release for many targets: in waves, judged by one rule, taken back where it fails."""
