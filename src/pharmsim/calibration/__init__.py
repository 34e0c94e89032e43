"""Calibration: what is published about the past, and what it says about the uncertain numbers."""
