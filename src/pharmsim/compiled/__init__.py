"""From a `Scenario` and its draws to the arrays that the engines read."""
