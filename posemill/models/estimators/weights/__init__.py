"""Weights that others published: where they come from, where they lie, are they whole.

published.py   what there is, as data      tables.py    every estimator's, by entry points
"""
