"""Pose files made elsewhere: one module a format, found through entry points."""
