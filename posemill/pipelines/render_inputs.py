"""What rendering features starts from, into a store or on the fly: checked poses, clips, recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posemill.errors import InputError
from posemill.pipelines.dense_samples import check_dense
from posemill.pipelines.pictures.places import are_imported
from posemill.pipelines.pose_catalog import catalog_of
from posemill.storage.catalog import Catalog
from posemill.storage.identity import ABSENT
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore, ShardCommit
from posemill.storage.videos import VideoTable
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe
from posemill.transforms.skeletons import get_skeleton

STAGE = "materialize"


@dataclass(frozen=True, slots=True)
class RenderInputs:
    """Poses and clips that a recipe can render."""

    poses: PoseStore
    catalog: Catalog
    recipe: Recipe
    specs: tuple[OutputSpec, ...]
    configuration: dict[str, Any]
    """Of a store of such features."""
    commits: Mapping[int, ShardCommit]


def read_render_inputs(
    place: Place, recipe: Recipe, catalog: Path | None, seed: int, *, with_videos: bool = False
) -> RenderInputs:
    """The poses at `place` and the clips of `catalog`, or of that which the poses were made from.

    `with_videos` is for who can decode the frames that a recipe reads.

    Raises:
        InputError: they cannot be read, or lack what the recipe needs.
    """
    poses = PoseStore.open(place)
    target = recipe.target(get_skeleton(poses.configuration["skeleton"]))
    clips = catalog_of(poses, catalog)
    commits = poses.committed()
    _check_frames(recipe, poses, clips, with_videos=with_videos)
    _check_requirements(recipe, poses, clips, commits)
    check_dense(recipe, poses, commits)
    return RenderInputs(
        poses=poses,
        catalog=clips,
        recipe=recipe,
        specs=recipe.outputs(target),
        configuration={
            "stage": STAGE,
            "recipe": recipe.configuration(),
            "seed": seed,
            "skeleton": target.name,
            "poses": poses.configuration_hash,
        },
        commits=commits,
    )


def _check_frames(recipe: Recipe, poses: PoseStore, catalog: Catalog, *, with_videos: bool) -> None:
    """Raises:
    InputError: the recipe reads frames, which are not read here, or of which there are none.
    """
    if "frames" not in recipe.requires:
        return
    if not with_videos:
        raise InputError(
            f"recipe {recipe.name} reads the videos' frames; materialize it first, and train on "
            "those features"
        )
    if are_imported(poses) and set(VideoTable.of(catalog.videos).identities()) <= {ABSENT}:
        raise InputError(
            f"recipe {recipe.name} reads the videos' frames, the poses in {poses.url} were "
            f"imported, and the catalog {catalog.name!r} was indexed where no video was; index "
            "the dataset with its videos, and give that catalog with --catalog"
        )


def _check_requirements(
    recipe: Recipe, poses: PoseStore, catalog: Catalog, commits: Mapping[int, ShardCommit]
) -> None:
    """Refuse before any work what no clip could be rendered by.

    Raises:
        InputError: the recipe needs what is not there.
    """
    if "boxes" in recipe.requires and not any(clip.boxes for clip in catalog.clips):
        raise InputError(
            f"recipe {recipe.name} needs the labelled person's box, and no clip of the catalog "
            f"{catalog.name!r} has one; set people=all or people=each, or index a dataset with "
            "boxes"
        )
    if "pose3d" in recipe.requires and commits and not poses.has_3d():
        raise InputError(
            f"recipe {recipe.name} needs 3-D poses, and {poses.url} has none; set space=2d, or "
            "import poses that have them"
        )
