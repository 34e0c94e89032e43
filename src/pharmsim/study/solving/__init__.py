"""The level of levers that reaches a target."""
