"""Who was where: prints, for every video of a pose store, its tracks and how far each moved.

python examples/read_poses.py poses.zarr
"""

from __future__ import annotations

import sys

import numpy as np

from posemill import PoseSequence, PoseStore


def travel_px(pose: PoseSequence, slot: int) -> float:
    """Length of the path of a track's mean joint, pixels."""
    rows = pose.slot == slot
    seen = pose.score[rows] > 0
    xy = np.where(seen[..., None], pose.xy_px[rows], np.nan)
    centre = np.nanmean(xy, axis=1)  # (frames of the track, 2)
    return float(np.linalg.norm(np.diff(centre, axis=0), axis=1).sum())


def main(path: str) -> None:
    store = PoseStore.open(path)
    for video_id, entry in store.entries().items():
        print(f"{video_id}: {entry.status}, {entry.frames_decoded} frames")
        if not entry.status.has_frames:
            continue
        pose = store.read(video_id)
        for slot in np.unique(pose.slot):
            rows = np.count_nonzero(pose.slot == slot)
            print(f"  track {slot}: {rows} frames, moved {travel_px(pose, slot):.0f} px")


if __name__ == "__main__":
    main(sys.argv[1])
