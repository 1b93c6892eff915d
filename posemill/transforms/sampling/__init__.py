"""Which frames of a video go into a clip; every draw comes from the generator given."""

from posemill.transforms.sampling.candidates import bin_candidates, pick_candidates
from posemill.transforms.sampling.pa3d import PA3D_CLIPS, Span, pa3d_clips, pa3d_random_clip
from posemill.transforms.sampling.parnet import parnet_frames
from posemill.transforms.sampling.uniform import uniform_clip, uniform_test_clips
from posemill.transforms.sampling.vpn import vpn_frames, vpn_test_windows, vpn_window
from posemill.transforms.sampling.windows import strided_test_windows, strided_window

__all__ = [
    "PA3D_CLIPS",
    "Span",
    "bin_candidates",
    "pa3d_clips",
    "pa3d_random_clip",
    "parnet_frames",
    "pick_candidates",
    "strided_test_windows",
    "strided_window",
    "uniform_clip",
    "uniform_test_clips",
    "vpn_frames",
    "vpn_test_windows",
    "vpn_window",
]
