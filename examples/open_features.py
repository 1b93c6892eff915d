"""A trainer's view: a feature store is plain Zarr, so xarray and any loader open it.

python examples/open_features.py potion.zarr
"""

from __future__ import annotations

import sys

import xarray


def main(path: str) -> None:
    dataset = xarray.open_zarr(path)
    dataset = dataset.sel(clip=dataset.valid)  # leaves out padding and unreadable videos
    print(dict(dataset.sizes))
    classes = dataset.attrs["classes"]
    for spec in dataset.attrs["specs"]:  # the recipe's outputs
        clip = dataset[spec["name"]].isel(clip=0)
        print(spec["name"], dict(clip.sizes), f"{float(clip.min()):.2f} to {float(clip.max()):.2f}")
    label = int(dataset.label[0])
    print(str(dataset.clip_id[0].item()), "is of class", classes[label] if label >= 0 else "(none)")


if __name__ == "__main__":
    main(sys.argv[1])
