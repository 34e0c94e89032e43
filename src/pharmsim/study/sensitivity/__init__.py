"""What a measure depends on most: one uncertainty at a time, and all of them together."""
