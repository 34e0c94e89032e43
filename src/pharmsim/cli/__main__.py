"""`python -m pharmsim.cli`."""

from pharmsim.cli import main

main()
