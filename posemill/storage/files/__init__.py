"""Where a video's bytes are, and how they come to be a local file: disks, addresses, tar files."""
