"""PARNet's settings, and the views that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from posemill.errors import InputError
from posemill.models.base import Model, ViewShapes, require_size, view_shape
from posemill.models.parnet.appearance import SpatialAppearance
from posemill.models.parnet.frame_maps import FrameMaps
from posemill.models.parnet.multi_pose import PersonFusion, TemporalMultiPose
from posemill.models.parnet.network import ParnetNetwork
from posemill.models.parnet.relation import PoseAwareRelation
from posemill.settings import option, setting
from posemill.transforms.skeletons import PARNET_14

_MIN_SIZE_PX = 32  # 2 x 2 places to choose from
_MIN_FRAMES = 2  # one difference


@dataclass(frozen=True)
class ParnetModel(Model):
    """PARNet: four people's poses through time, and what the frames show around them.

    The parts of table I are chosen by `modules`: TMP reads `poses` alone, SA `frames`
    alone, full is both and the relation of one to the other. The published views are
    16 frames of 224 x 224 pixels with 4 people.
    """

    name: ClassVar[str] = "parnet"
    recipes: ClassVar[tuple[str, ...]] = ("parnet-frames", "parnet")

    modules: Literal["full", "tmp+sa", "tmp", "sa"] = setting(
        "full", "of table I: poses are tmp, frames sa, and full relates them"
    )
    window: int = setting(5, "n, outputs that a TA-LSTM looks back at; 0: LSTMs", low=0, high=256)
    persons: PersonFusion = setting("attention", "how people become one vector")
    hidden: int = setting(512, "of the RNNs, of a person's vector and of F", low=1, high=4096)
    width: float = setting(1.0, "times the channels of BN-Inception", low=0.01, high=4.0)
    dropout: float = setting(0.5, "of F", low=0.0, high=0.95)

    def network(self, shapes: ViewShapes, num_classes: int) -> ParnetNetwork:
        self._check(shapes)
        with_poses, with_frames = self._reads()
        pictures = FrameMaps(self.width) if with_frames else None
        return ParnetNetwork(
            TemporalMultiPose(self.hidden, self.window, self.persons) if with_poses else None,
            pictures,
            self._relation(pictures),
            self._appearance(pictures),
            num_classes,
        )

    def _reads(self) -> tuple[bool, bool]:
        """Whether `poses`, and whether `frames`."""
        return self.modules != "sa", self.modules != "tmp"

    def _relation(self, pictures: FrameMaps | None) -> PoseAwareRelation | None:
        if pictures is None or self.modules != "full":
            return None
        channels = pictures.backbone.middle_channels
        return PoseAwareRelation(self.hidden, channels, self.hidden, self.window)

    def _appearance(self, pictures: FrameMaps | None) -> SpatialAppearance | None:
        if pictures is None:
            return None
        return SpatialAppearance(pictures.backbone.out_channels, self.hidden, self.dropout)

    def _check(self, shapes: ViewShapes) -> None:
        checks = {"poses": self._check_poses, "frames": self._check_frames}
        read = [name for name, reads in zip(checks, self._reads(), strict=True) if reads]
        lengths = {name: checks[name](shapes) for name in read}
        if len(set(lengths.values())) > 1:
            raise InputError(
                f"the model {self.name} relates each frame to its poses, and a view has "
                f"{lengths['frames']} frames and poses of {lengths['poses']}; use both of one "
                "recipe parnet-frames"
            )

    def _check_poses(self, shapes: ViewShapes) -> int:
        """How many frames they are of."""
        dims = ("time", "person", "keypoint", "space")
        time, _, joints, space = view_shape(self, shapes, "poses", dims)
        if (joints, space) != (PARNET_14.num_keypoints, 2):
            raise InputError(
                f"the model {self.name} reads x and y of the {PARNET_14.num_keypoints} joints of "
                f"{PARNET_14.name}, and poses have {joints} joints of {space} coordinates; use "
                f"features of the recipe {' or '.join(self.recipes)}"
            )
        if time < _MIN_FRAMES:
            raise InputError(
                f"the model {self.name} reads differences of frames, and a view has {time}; use "
                f"features of a length of {_MIN_FRAMES} or more"
            )
        return time

    def _check_frames(self, shapes: ViewShapes) -> int:
        """How many there are."""
        if "frames" not in shapes:
            raise InputError(
                f"the model {self.name} with modules={self.modules} reads frames, and a view has "
                f"{', '.join(shapes)} alone; use features of the recipe parnet-frames, or set "
                f"{option(self, 'modules')}=tmp"
            )
        dims = ("time", "y", "x", "colour")
        time, height, width, colours = view_shape(self, shapes, "frames", dims)
        if colours != 3:
            raise InputError(
                f"the model {self.name} reads frames of 3 colours, got {colours}; use features "
                "of the recipe parnet-frames"
            )
        require_size(self, (height, width), _MIN_SIZE_PX)
        return time
