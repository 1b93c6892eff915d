"""What a preset is: a paper's training on one data set, and what it published for it."""

from __future__ import annotations

from dataclasses import dataclass

from posemill.pipelines.training.config import TrainConfig
from posemill.transforms.recipes import get_recipe
from posemill.transforms.recipes.views import PictureRecipe


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
        """How poses of the data set are trained on by it, or features where it takes pictures."""
        store = "features.zarr" if self.materialize else "poses.zarr"
        return f"posemill train {store} --preset {self.name} -o runs/{self.name}"

    @property
    def materialize(self) -> str:
        """How those features are made; empty where poses are rendered on the fly."""
        if not issubclass(get_recipe(self.config.recipe), PictureRecipe):
            return ""
        settings = "".join(f" --set {setting}" for setting in self.config.recipe_settings)
        recipe = f"--recipe {self.config.recipe}{settings}"
        return f"posemill materialize poses.zarr -o features.zarr {recipe}"
