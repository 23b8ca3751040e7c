"""`analyzer doctor`: what a run would read and what it lacks, without running it."""
