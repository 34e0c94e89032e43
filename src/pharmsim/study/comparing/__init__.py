"""Scenarios beside a base: what is measured, how they differ, who gains and who loses."""
