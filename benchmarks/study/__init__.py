"""What studies have in common: trials in processes, kept outcomes, differences and tables."""
