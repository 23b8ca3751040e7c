"""Decide whether a SageMaker shadow variant may take production's place."""

__version__ = "0.1.0"
