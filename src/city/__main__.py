"""`python -m city` is the `city` command."""

from city.cli import main

main()
