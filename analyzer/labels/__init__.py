"""Ground truth: `files` reads labels, `csv_rows` those of CSV, `joining` says who was right."""
