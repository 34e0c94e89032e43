"""Choosing between scenarios: how sure the choice is, what would change it, what to measure next."""
