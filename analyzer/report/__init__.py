"""The windows: one page of content, drawn for a terminal, for Markdown and for the application."""
