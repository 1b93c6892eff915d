"""A recipe's arrays from placed poses, on the device, in place of those that it renders."""

from __future__ import annotations

from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.rasterize.batch import PlacedBatch
from posemill.models.rasterize.joints import DrawJoints
from posemill.models.rasterize.limbs import DrawLimbs
from posemill.models.rasterize.potion import DrawPotion
from posemill.schema import Skeleton
from posemill.transforms.recipes import Recipe
from posemill.transforms.recipes.people import GaussianRecipe
from posemill.transforms.recipes.potion import JmrnRecipe, PotionRecipe
from posemill.transforms.recipes.tempposeconv import JointCubeRecipe
from posemill.transforms.recipes.volume import LimbVolumeRecipe, VolumeRecipe


class DrawViews(nn.Module):
    """Volumes of clips of one or more views, each view a row of the batch of its own."""

    def __init__(self, draw: DrawJoints | DrawLimbs, length: int) -> None:
        super().__init__()
        self.draw = draw
        self.length = length

    def forward(self, batch: PlacedBatch) -> Tensor:
        """(B V, K or L, T, H, W), a clip's views one after another."""
        volumes: Tensor = self.draw(batch.cut(self.length))
        return volumes


class DrawDifferences(nn.Module):
    """Differences of consecutive frames of cubes of clips of `length` frames."""

    def __init__(self, draw: DrawJoints, length: int) -> None:
        super().__init__()
        self.draw = draw
        self.length = length

    def forward(self, batch: PlacedBatch) -> Tensor:
        """(B, N (T - 1), K, H, W) of clips of N T frames; none spans two of them."""
        cubes: Tensor = self.draw(batch.cut(self.length))  # (B N, T, K, H, W)
        steps = cubes[:, 1:] - cubes[:, :-1]
        return steps.reshape(batch.num_clips, -1, *steps.shape[2:])


class DrawRecipe(nn.Module):
    """One array of a recipe by its name, as a network takes it."""

    def __init__(self, output: str, draw: nn.Module) -> None:
        super().__init__()
        self.output = output
        self.draw = draw

    def forward(self, batch: PlacedBatch) -> dict[str, Tensor]:
        """The array's values, float32, before they would be quantised; on the batch's device."""
        return {self.output: self.draw(batch)}


def draw_module(recipe: Recipe, target: Skeleton) -> DrawRecipe:
    """What draws `recipe.place(sample, rng)`, collated, as the arrays that a network reads.

    `volume` (B V, K or L, T, H, W), `joints` (B, T, K, H, W), `joint_differences`
    (B, T, K, H, W), `u` and `p` (B, K, C, H, W).

    Args:
        target: the recipe's, of the poses' skeleton: `recipe.target(skeleton)`.

    Raises:
        InputError: the recipe's maps cannot be drawn from coordinates alone.
    """
    if not isinstance(recipe, GaussianRecipe) or not recipe.placeable:
        raise InputError(
            f"recipe {recipe.name} with {recipe.configuration()['settings']} cannot be drawn on "
            "the device; expected joints or limbs of people=all and source=triplets: let the "
            "loader render it"
        )
    return DrawRecipe(recipe.outputs(target)[0].name, _drawing(recipe, target))


def _drawing(recipe: GaussianRecipe, target: Skeleton) -> nn.Module:
    gaussian = recipe.gaussians()
    match recipe:
        case VolumeRecipe():
            return DrawViews(DrawJoints(**gaussian), recipe.length)
        case LimbVolumeRecipe():
            limbs = DrawLimbs(target.limbs, target.num_keypoints, **gaussian)
            return DrawViews(limbs, recipe.length)
        case JointCubeRecipe(of_differences=True):
            return DrawDifferences(DrawJoints(**gaussian, time_first=True), recipe.length)
        case JointCubeRecipe():
            return DrawJoints(**gaussian, time_first=True)
        case PotionRecipe():
            return DrawPotion(recipe.channels, **gaussian, of="u")
        case JmrnRecipe():
            return DrawPotion(recipe.channels, **gaussian, of="p")
    raise InputError(
        f"recipe {recipe.name} cannot be drawn on the device: nothing there draws its maps; "
        "let the loader render it"
    )
