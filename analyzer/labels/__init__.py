"""Ground truth: `files` reads labels, `joining` says which predictions were right."""
