"""What is done with runs: one or many, comparison."""
