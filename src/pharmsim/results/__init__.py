"""What a run produced: labels, measures, tables, files, and making a run again."""
