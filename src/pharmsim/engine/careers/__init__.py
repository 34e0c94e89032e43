"""The `careers` engine: single people in continuous time, on SimPy's calendar of events.

Reads the same arrays as `cohort`. `run` starts worlds, one for each replicate; a `world` holds the people,
the calendar and the record; `study`, `working`, `search`, `vacancies` and `apprentices` are what happens to
somebody, `months` what happens once a month to all; `readings` are the hazards at one's own exact age,
`around` the system around the people, `log` what is left.
"""
