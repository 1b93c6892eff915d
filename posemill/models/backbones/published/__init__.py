"""Weights that others published, from a local file into the backbones of this package."""

from posemill.models.backbones.published.files import read_published, tensors_of
from posemill.models.backbones.published.load import fitting_published
from posemill.models.backbones.published.report import Report

__all__ = ["Report", "fitting_published", "read_published", "tensors_of"]
