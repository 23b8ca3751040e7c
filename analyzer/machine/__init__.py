"""What a run may use of the machine: memory, room on a disk, a private folder to spill to."""
