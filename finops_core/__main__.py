"""`python -m finops_core` is the command line."""

from finops_core.cli import main

main()
