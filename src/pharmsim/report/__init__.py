"""What people look at: figures, diagram, summaries, comparisons, evidence."""
