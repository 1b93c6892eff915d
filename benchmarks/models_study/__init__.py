"""The order of methods on made-up actions; see benchmarks/models.py."""
