"""Why scenarios differ from their base: parts of each intervention, break-even effects, evidence."""
