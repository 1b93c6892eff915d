"""Models that see pixels and pose, on clips that take both; see benchmarks/appearance.py."""
