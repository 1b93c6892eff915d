"""What is expected of pictures and poses together, and why: written before the first result.

| difference | expected | because |
|---|---|---|
| each joint network over each of its own modalities alone | gain | neither tells all classes |
| RGBPose, pathways that tell each other, over late fusion | gain | its tables 6 and 7, the pilot |
| RGBPose, both directions over one | no sign | its table 6 has .2 and .6; all near 100% here |
| VPN over its pictures alone | gain | its table 1; in the pilot on some seeds alone |
| VPN coupled over dissociated | no sign | its table 2 has .7; in the pilot either was ahead |
| PARNet's relation over its two parts | no sign | its table I has 2 to 3; near 100% here |

Late fusion can be right in all classes here: each modality is sure of two of the four, and
guesses where the other is sure. VPN classifies features of the pictures, by which no class
of motion can be told, after its poses have weighed them: so only how large these are can
tell the motion. Training has to find that out, and until it does, gains nothing by it.
"""

from __future__ import annotations

from dataclasses import dataclass

_NEITHER = "neither modality tells all classes"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A difference of accuracies of two contenders on the same clips, `first` - `second`."""

    first: str
    second: str
    gain: bool
    """Whether it is expected to be above 0; else there is no expected sign."""
    source: str

    def __str__(self) -> str:
        return f"{self.first} - {self.second}"


def _over(second: tuple[str, ...], *first: str) -> list[Expectation]:
    return [Expectation(one, alone, True, _NEITHER) for one in first for alone in second]


EXPECTATIONS: tuple[Expectation, ...] = (
    *_over(
        ("rgb", "poseconv3d"),
        "rgbpose", "rgbpose-rgb-to-pose", "rgbpose-pose-to-rgb", "rgbpose-late",
    ),
    *_over(("parnet-tmp", "parnet-sa"), "parnet", "parnet-tmp+sa"),
    Expectation("vpn", "vpn-rgb", True, "VPN table 1: 86.3 over 77.0, 60.8 over 53.4"),
    Expectation("vpn-dissociated", "vpn-rgb", True, "VPN tables 1, 2: 85.6 over 77.0, 60.1, 53.4"),
    Expectation("rgbpose", "rgbpose-late", True, "PoseConv3D table 7: 93.6 over 92.6, 96.2, 95.5"),
    Expectation("rgbpose", "rgbpose-rgb-to-pose", False, "PoseConv3D table 6: 93.6 over 93.0"),
    Expectation("rgbpose", "rgbpose-pose-to-rgb", False, "PoseConv3D table 6: 93.6 over 93.4"),
    Expectation("vpn", "vpn-dissociated", False, "VPN table 2: 86.3 over 85.6; pilot: either"),
    Expectation("parnet", "parnet-tmp+sa", False, "PARNet table I: 99.2 over 97.2; near 100 here"),
)  # fmt: skip
