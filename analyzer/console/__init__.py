"""What surrounds a command: signals and streams, messages, progress, the log of a run."""
