"""Tasks that make some videos of committed shards again, as the shards' next generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from posemill.pipelines.plan import video_cost_seconds
from posemill.pipelines.tasks import ShardTask
from posemill.schema import Video
from posemill.storage.pose_mending import Remainder


def tasks_again(
    stage: str, remainders: Iterable[Remainder], videos: Mapping[str, Video]
) -> tuple[ShardTask, ...]:
    """A task for each shard's remainder; `videos` are the planned ones by id."""
    return tuple(
        ShardTask(
            stage=stage,
            shard_id=left.shard_id,
            num_items=len(left.video_ids),
            cost=sum(video_cost_seconds(videos[video_id]) for video_id in left.video_ids),
            generation=left.generation,
            items=left.video_ids,
        )
        for left in remainders
    )
