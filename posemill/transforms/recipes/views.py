"""Recipes that say themselves what a network is shown of the arrays that they store."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from posemill.errors import InputError
from posemill.schema import Int64, PoseSequence, Skeleton, UInt8
from posemill.transforms.geometry import Box, scale_box
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.pictures import show_box
from posemill.transforms.recipes.base import Arrays, Recipe
from posemill.transforms.recipes.draws import Draw
from posemill.transforms.sample import Requirement, Sample


class ViewRecipe(Recipe):
    """Coordinates or pictures, or both, which are cropped and mirrored together.

    With draw=cache it stores the input of the random part, with draw=test the views
    whose scores are averaged. The skeleton `target` is that of the stored arrays.
    """

    draw: Draw
    """A setting of every such recipe."""

    def require_training_views(self) -> None:
        """Refuse to draw training views of what draw=test stores.

        Raises:
            InputError: `draw` is test.
        """
        if self.draw == "test":
            raise InputError(
                f"recipe {self.name}: what draw=test renders are the fixed views of tests, and "
                "training draws its own; materialize the training clips with --set draw=cache"
            )

    @abstractmethod
    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        """The arrays of one view, as a network takes them.

        They may be others than those that are stored: a volume of coordinates, say.
        """

    @abstractmethod
    def draw_view(
        self, arrays: Arrays, target: Skeleton, rng: np.random.Generator, *, flip: float
    ) -> tuple[Arrays, bool]:
        """A training view of what draw=cache stores of a clip.

        Args:
            arrays: of a clip, in their stored dtypes, by name.
            target: skeleton of the arrays.
            rng: the only source of randomness.
            flip: probability of the mirror image.

        Returns:
            the arrays of `view_outputs`, and whether they are mirrored.

        Raises:
            InputError: the arrays are those of draw=test.
        """

    @abstractmethod
    def fixed_views(self, arrays: Arrays, target: Skeleton, *, mirrored: bool) -> Arrays:
        """The test views (V, ...) of what is stored of a clip, or their mirror images.

        Of draw=cache it is one: middle candidates, and the crop of the tests.
        """


class PictureRecipe(ViewRecipe):
    """A recipe that reads the frames themselves, decoded once more."""

    @property
    def requires(self) -> frozenset[Requirement]:
        return super().requires | {"frames"}

    @abstractmethod
    def picture_frames(self, pose: PoseSequence, rng: np.random.Generator) -> Int64:
        """Numbers (N,), rising, of the clip's frames whose pictures `render` reads.

        Args:
            pose: of the clip, which has a frame at least.
            rng: a generator equal to the one that `render` is given.
        """

    def crop_pictures(
        self, sample: Sample, frames: Int64, box: Box, size_hw: tuple[int, int]
    ) -> UInt8:
        """Pictures (..., H, W, 3) of `size_hw` that show `box` of some frames.

        Args:
            frames: (...), numbers in the clip.
            box: in px of the frame, which are those of the poses, whatever size the
                frames were decoded in.

        Raises:
            InputError: the sample has no pictures, or none of a frame.
        """
        pictures, pose = sample.pictures, sample.pose
        if pictures is None:
            raise InputError(
                f"recipe {self.name} needs pictures of the clip's frames, and the sample has none; "
                "decode those that picture_frames names"
            )
        once, which = np.unique(frames, return_inverse=True)
        there = scale_box(box, pose.width, pose.height, pictures.size_hw)
        shown = show_box(pictures.rgb[pictures.rows(once)], there, size_hw)
        return shown[which.reshape(frames.shape)]
