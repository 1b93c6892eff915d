"""The commands before extraction: `fixtures` and `index`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posemill.cli.options import (
    ConfigOption,
    DryRunFlag,
    JsonFlag,
    SeedOption,
    WorkersOption,
    count,
    finish,
    remark,
)
from posemill.pipelines.fixtures import FixtureParameters, write_fixtures
from posemill.pipelines.progress import ProgressDisplay
from posemill.storage.catalog import Catalog, needs_writing, write_catalog
from posemill.storage.datasets.bucket_folder import index_bucket_folder
from posemill.storage.datasets.folder import index_folder
from posemill.storage.datasets.list_file import ABSENT, index_list
from posemill.storage.datasets.tar_shards import index_tar
from posemill.storage.files.location import is_address

index_app = typer.Typer(help="List a dataset's videos, clips and labels: -> catalog.")
CatalogOption = Annotated[Path, typer.Option("--out", "-o", help="The catalog to write.")]
OverwriteFlag = Annotated[bool, typer.Option("--overwrite", help="Replace a catalog that exists.")]


def register(app: typer.Typer) -> None:
    app.command(name="fixtures")(fixtures_command)
    index_app.command(name="folder")(index_folder_command)
    index_app.command(name="list")(index_list_command)
    index_app.command(name="tar")(index_tar_command)
    app.add_typer(index_app, name="index")


def fixtures_command(
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    clips: Annotated[int, typer.Option(min=2, help="Number of videos, 3/4 train, 1/4 test.")] = 96,
    seed: SeedOption = 0,
    workers: WorkersOption = 2,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Render small action videos of articulated people, with their exact joints."""
    parameters = FixtureParameters(num_clips=clips, seed=seed)
    if dry_run:
        summary = {"out": str(out), "clips": clips, "seed": seed}
        finish(f"would write {count(clips, 'video')} to {out}", summary, as_json=json)
        return
    with ProgressDisplay() as display:
        written = write_fixtures(
            out, parameters, workers=workers, on_progress=display.counter("fixtures")
        )
    summary = {
        "out": str(out),
        "train": written.num_train,
        "test": written.num_test,
        "rendered_now": written.rendered,
    }
    line = (
        f"{out}: {written.num_train} videos to train, {written.num_test} to test, "
        f"{written.rendered} rendered now"
    )
    finish(line, summary, as_json=json)


def index_folder_command(
    root: Annotated[
        str, typer.Argument(help="A folder of videos, or of class folders; or s3://bucket/prefix.")
    ],
    out: CatalogOption,
    mirror_labels: Annotated[
        Path | None,
        typer.Option(help="JSON map class -> class when flipped [ROOT/mirror_labels.json]."),
    ] = None,
    overwrite: OverwriteFlag = False,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Index a folder: the class is the folder that holds a video.

    Folders train, val and test at the top are subsets. A video's id is its path
    below ROOT, so equal file names in different folders stay apart.
    """
    if is_address(root):
        catalog = index_bucket_folder(root, mirror_labels=mirror_labels)
    else:
        catalog = index_folder(root, mirror_labels=mirror_labels)
    _put(catalog, out, overwrite=overwrite, dry_run=dry_run, as_json=json)


def index_list_command(
    file: Annotated[
        Path,
        typer.Argument(
            help="A path or address a line; or .csv, .tsv: path,id,label,subset,start,end."
        ),
    ],
    out: CatalogOption,
    overwrite: OverwriteFlag = False,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Index the videos of a list: paths, s3://, gs://, https://, members of tar files.

    Relative paths are below the list's folder. An id that is not given is the path
    without its suffix. A file that is not there stays in the catalog, as missing.
    """
    catalog = index_list(file)
    _put(catalog, out, overwrite=overwrite, dry_run=dry_run, as_json=json)


def index_tar_command(
    shards: Annotated[
        list[str], typer.Argument(metavar="TAR...", help="Uncompressed tar files or addresses.")
    ],
    out: CatalogOption,
    overwrite: OverwriteFlag = False,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Index tar files of samples (WebDataset): KEY.mp4 with KEY.cls, KEY.json or KEY.txt.

    A video's id is its tar file's name and its key. The subset is what the tar file's
    name begins with, or its folder is called: train, val or test.
    """
    catalog = index_tar(shards)
    _put(catalog, out, overwrite=overwrite, dry_run=dry_run, as_json=json)


def _put(catalog: Catalog, out: Path, *, overwrite: bool, dry_run: bool, as_json: bool) -> None:
    """Write a catalog, or look whether it would be, and say what is in it."""
    if dry_run:
        needs_writing(out, catalog, overwrite=overwrite)
    else:
        write_catalog(out, catalog, overwrite=overwrite)
    subsets = sorted({clip.splits["default"] for clip in catalog.clips if "default" in clip.splits})
    num_bytes = sum(video.num_bytes for video in catalog.videos)
    num_absent = sum(video.identity == ABSENT for video in catalog.videos)
    summary = {
        "catalog": str(out),
        "videos": len(catalog.videos),
        "clips": len(catalog.clips),
        "classes": len(catalog.classes),
        "subsets": subsets,
        "bytes": num_bytes,
        "videos_absent": num_absent,
    }
    line = (
        f"{out}: {count(len(catalog.videos), 'video')}, "
        f"{count(len(catalog.classes), 'class', 'classes')}, "
        f"subsets: {', '.join(subsets) or 'none'}, {num_bytes / 1e6:.1f} MB"
        + remark(num_absent, "video", "not there")
    )
    finish(f"would write {line}" if dry_run else line, summary, as_json=as_json)
