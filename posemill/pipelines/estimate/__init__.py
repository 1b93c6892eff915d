"""The poses of clips, as they come from decoder processes: one after the other, or mixed in
batches that keep a device busy."""
