"""Turns video datasets into training-ready pose features."""
