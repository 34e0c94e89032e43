"""From files to a validated, resolved `Scenario`."""
