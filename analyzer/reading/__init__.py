"""What a run reads: who is compared, over which window, and what captures came to."""
