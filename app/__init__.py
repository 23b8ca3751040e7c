"""The report application, started by `analyzer report`; in the wheel it is `analyzer._app`."""
