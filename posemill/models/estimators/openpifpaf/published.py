"""The checkpoints for COCO's 17 joints that openpifpaf's authors publish.

Names and addresses are those of openpifpaf's own table `CHECKPOINT_URLS` (there
with http), accuracies those of the introduction of its guide.
"""

from __future__ import annotations

from posemill.models.estimators.weights.published import PublishedFile, PublishedWeights, WebFile

_RELEASES = "https://github.com/openpifpaf/torchhub/releases/download/v0.13"
_NOTE = (
    "openpifpaf is AGPL-3.0, and its authors state no other licence for its weights; whoever "
    "offers a service with it must offer the source, too"
)


def _checkpoint(name: str, file: str, ap: float, megabytes: float) -> PublishedWeights:
    """`megabytes` as published, in units of 1024 x 1024 bytes; the name ends with its hash."""
    return PublishedWeights(
        estimator="openpifpaf",
        name=name,
        licence="AGPL-3.0-only",
        accuracy=f"COCO val2017 AP {ap}",
        accuracy_source="https://openpifpaf.github.io/intro.html",
        source=WebFile(f"{_RELEASES}/{file}", sha256=file.removesuffix(".pkl").rpartition("-")[2]),
        files=(PublishedFile(file),),
        num_bytes=round(megabytes * 1024 * 1024),
        entry="openpifpaf.pt",
        converter="posemill.models.estimators.openpifpaf.convert:convert_checkpoint",
        install="make install-openpifpaf",
        note=_NOTE,
        default=name == "shufflenetv2k16",
    )


PUBLISHED = (
    _checkpoint(
        "mobilenetv3small",
        "mobilenetv3small-210822-213409-cocokp-slurm726252-edge513-o10s-803b24ae.pkl",
        ap=47.1,
        megabytes=5.8,
    ),
    _checkpoint(
        "mobilenetv3large",
        "mobilenetv3large-210820-184901-cocokp-slurm725985-edge513-o10s-6c76cbfb.pkl",
        ap=58.4,
        megabytes=15.0,
    ),
    _checkpoint(
        "resnet50",
        "resnet50-210830-150728-cocokp-slurm728641-edge513-o10s-ecd30da4.pkl",
        ap=68.1,
        megabytes=97.4,
    ),
    _checkpoint(
        "shufflenetv2k16",
        "shufflenetv2k16-210820-232500-cocokp-slurm726069-edge513-o10s-7189450a.pkl",
        ap=68.1,
        megabytes=38.9,
    ),
    _checkpoint(
        "shufflenetv2k30",
        "shufflenetv2k30-210821-003923-cocokp-slurm726072-edge513-o10s-5fe1c400.pkl",
        ap=71.8,
        megabytes=115.0,
    ),
)
"""By accuracy; the default is the smallest of those above 60."""
