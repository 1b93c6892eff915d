"""Poses and features as files of other tools: one module a kind, found through entry points."""
