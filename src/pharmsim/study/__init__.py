"""What is done with runs: one or many, compared, explained, solved for."""
