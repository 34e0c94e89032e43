"""Results folders as one HTML file."""
