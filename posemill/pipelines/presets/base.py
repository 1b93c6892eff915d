"""What a preset is: a paper's training on one data set, and what it published for it."""

from __future__ import annotations

from dataclasses import dataclass

from posemill.pipelines.training.config import TrainConfig


@dataclass(frozen=True)
class Preset:
    """A typed configuration of one paper on one data set."""

    name: str
    dataset: str
    """As `posemill index` calls it."""
    published: str
    """The result that the paper reports."""
    config: TrainConfig
    open_points: str = ""
    """What the paper leaves open, and how it is settled here."""

    @property
    def command(self) -> str:
        """How a pose store of the data set is trained on by it."""
        return f"posemill train poses.zarr --preset {self.name} -o runs/{self.name}"
