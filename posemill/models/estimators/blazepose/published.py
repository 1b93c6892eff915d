"""BlazePose's networks, which travel inside a wheel of the package registry."""

from __future__ import annotations

from posemill.models.estimators.weights.published import PublishedFile, PublishedWeights, Wheel

DETECTOR = PublishedFile(
    "pose_detection.tflite",
    "mediapipe/modules/pose_detection/pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)
LANDMARKS = PublishedFile(
    "pose_landmark_full.tflite",
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
)
_LICENCE = PublishedFile(
    "LICENSE",
    "mediapipe-0.10.21.dist-info/LICENSE",
    "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
)

MEDIAPIPE = PublishedWeights(
    estimator="blazepose",
    name="mediapipe-0.10.21",
    licence="Apache-2.0",
    accuracy="PCK@0.2 of one person: yoga 95.5, dance 96.3, HIIT 95.7",
    accuracy_source="https://github.com/google-ai-edge/mediapipe/blob/master/docs/solutions/pose.md",
    source=Wheel(
        "mediapipe==0.10.21", "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
    ),
    files=(DETECTOR, LANDMARKS, _LICENCE),
    num_bytes=35_600_000,
    install="pip install 'posemill[blazepose]'",
    default=True,
)

PUBLISHED = (MEDIAPIPE,)
