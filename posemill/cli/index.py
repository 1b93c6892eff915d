"""The commands `index ...`: a dataset's videos, clips and labels as a catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from posemill.cli.options import (
    ConfigOption,
    DryRunFlag,
    JsonFlag,
    count,
    finish,
    key_values,
    remark,
    size,
    tally,
)
from posemill.settings import describe_settings
from posemill.storage.catalog import MISSING_LIST, Catalog, needs_writing, write_catalog
from posemill.storage.datasets.assemble import index_dataset
from posemill.storage.datasets.base import Dataset
from posemill.storage.datasets.bucket_folder import index_bucket_folder
from posemill.storage.datasets.folder import index_folder
from posemill.storage.datasets.list_columns import ListColumns
from posemill.storage.datasets.list_file import index_list
from posemill.storage.datasets.registry import create_dataset, dataset_names, get_dataset
from posemill.storage.datasets.tar_shards import index_tar
from posemill.storage.datasets.text_rows import Encoding
from posemill.storage.files.location import is_address
from posemill.storage.identity import ABSENT

CatalogOption = Annotated[Path, typer.Option("--out", "-o", help="The catalog to write.")]
OverwriteFlag = Annotated[bool, typer.Option("--overwrite", help="Replace a catalog that exists.")]
_NOTHING: Mapping[str, int] = MappingProxyType({})


class DatasetGroup(TyperGroup):
    """Beside its own commands one for each dataset that is registered, made when asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *dataset_names()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        if own is not None or cmd_name not in dataset_names():
            return own
        return _dataset_command(cmd_name)


index_app = typer.Typer(
    help="List a dataset's videos, clips and labels: -> catalog.", cls=DatasetGroup
)


def register(app: typer.Typer) -> None:
    index_app.command(name="folder")(index_folder_command)
    index_app.command(name="list")(index_list_command)
    index_app.command(name="tar")(index_tar_command)
    app.add_typer(index_app, name="index")


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
            help="A path or address a line; or a table, .csv, .tsv, .jsonl or .parquet: "
            "path,id,label,subset,start,end."
        ),
    ],
    out: CatalogOption,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS",
            help="A column of the table and what it is called there, as label=action; "
            "split:NAME=COLUMN has the subsets of a split. Other columns are passed over. "
            "Repeatable.",
        ),
    ] = None,
    label_separator: Annotated[
        str, typer.Option(metavar="CHARACTER", help="Between several labels of one clip.")
    ] = "",
    encoding: Annotated[
        Encoding, typer.Option(help="Of text that has no byte-order mark, which goes first.")
    ] = "utf-8",
    overwrite: OverwriteFlag = False,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Index the videos of a list: paths, s3://, gs://, https://, members of tar files.

    Relative paths are below the list's folder. An id that is not given is the path
    without its suffix. A file that is not there stays in the catalog, as missing.
    """
    columns = ListColumns(key_values("--column", column), label_separator, encoding)
    _put(index_list(file, columns=columns), out, overwrite=overwrite, dry_run=dry_run, as_json=json)


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


def _dataset_command(name: str) -> Any:
    """The command of a dataset."""

    def index_dataset_command(
        out: CatalogOption,
        videos: Annotated[
            str | None,
            typer.Option(
                metavar="FOLDER",
                help="Of the videos, or s3://bucket/prefix; without it all are missing, as where "
                "poses alone are there.",
            ),
        ] = None,
        annotations: Annotated[
            list[Path] | None,
            typer.Argument(help="Files of annotations, or the folder of them.", show_default=False),
        ] = None,
        set_: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="KEY=VALUE", help="A setting of the dataset; see above."),
        ] = None,
        overwrite: OverwriteFlag = False,
        dry_run: DryRunFlag = False,
        json: JsonFlag = False,
        _config: ConfigOption = None,
    ) -> None:
        dataset = create_dataset(name, key_values("--set", set_))
        indexed = index_dataset(dataset, annotations or (), videos)
        _put(
            indexed.catalog,
            out,
            indexed.left_out,
            overwrite=overwrite,
            dry_run=dry_run,
            as_json=json,
        )

    app = typer.Typer(add_completion=False)
    app.command(name=name, help=_dataset_help(get_dataset(name)))(index_dataset_command)
    return typer.main.get_command(app)


def _dataset_help(dataset: type[Dataset]) -> str:
    """Title, expected files and settings; `\\b` keeps the lines of a paragraph apart."""
    settings = "\n".join(
        f"  {key}={default}  {meaning}"
        for key, (default, meaning) in describe_settings(dataset).items()
    )
    takes = dataset.files.replace("[", "\\[")
    return f"Index {dataset.title}.\n\n\b\n{takes}\n\n\b\nSettings:\n{settings}"


def _put(
    catalog: Catalog,
    out: Path,
    left_out: Mapping[str, int] = _NOTHING,
    *,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write a catalog, or look whether it would be, and say what is in it."""
    if dry_run:
        needs_writing(out, catalog, overwrite=overwrite)
    else:
        write_catalog(out, catalog, overwrite=overwrite)
    splits = _splits(catalog)
    num_bytes = sum(video.num_bytes for video in catalog.videos)
    num_absent = sum(video.identity == ABSENT for video in catalog.videos)
    summary = {
        "catalog": str(out),
        "videos": len(catalog.videos),
        "clips": len(catalog.clips),
        "classes": len(catalog.classes),
        "splits": splits,
        "bytes": num_bytes,
        "videos_absent": num_absent,
        "left_out": dict(left_out),
    }
    told = "; ".join(f"{name} {tally(subsets)}" for name, subsets in splits.items())
    line = (
        f"{out}: {count(len(catalog.videos), 'video')}, {count(len(catalog.clips), 'clip')}, "
        f"{count(len(catalog.classes), 'class', 'classes')}, split: {told or 'none'}, "
        f"{size(num_bytes)}"
        + (f", left out: {tally(left_out)}" if left_out else "")
        + remark(num_absent, "video", f"not there, see {out / MISSING_LIST}")
    )
    finish(f"would write {line}" if dry_run else line, summary, as_json=as_json)


def _splits(catalog: Catalog) -> dict[str, dict[str, int]]:
    """Clips in each subset of each split, in the order of their names."""
    numbers = Counter(pair for clip in catalog.clips for pair in clip.splits.items())
    splits: dict[str, dict[str, int]] = {}
    for (split, subset), number in sorted(numbers.items()):
        splits.setdefault(split, {})[subset] = number
    return splits
