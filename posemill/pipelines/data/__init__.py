"""The reading side of training: clips, views of them, and the order in which they come."""

from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.batches import Batch, dequantise
from posemill.pipelines.data.clips import ClipSet, check_flip, names_a_side
from posemill.pipelines.data.dataset import TestDataset, TrainDataset, ViewKey
from posemill.pipelines.data.joined import JOINED, parts_of
from posemill.pipelines.data.loader import BatchLoader, Loader, make_loader
from posemill.pipelines.data.placed import (
    PlacedDataset,
    PlacedViews,
    RaggedBatch,
    create_placed_views,
)
from posemill.pipelines.data.sampler import Balance, ClipSampler, TestSampler
from posemill.pipelines.data.sources import ClipSource, open_joined, open_source
from posemill.pipelines.data.views import Views, create_views, view_specs

__all__ = [
    "JOINED",
    "Augmentation",
    "Balance",
    "Batch",
    "BatchLoader",
    "ClipSampler",
    "ClipSet",
    "ClipSource",
    "Loader",
    "PlacedDataset",
    "PlacedViews",
    "RaggedBatch",
    "TestDataset",
    "TestSampler",
    "TrainDataset",
    "ViewKey",
    "Views",
    "check_flip",
    "create_placed_views",
    "create_views",
    "dequantise",
    "make_loader",
    "names_a_side",
    "open_joined",
    "open_source",
    "parts_of",
    "view_specs",
]
