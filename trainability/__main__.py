"""`python -m trainability`."""

from trainability.cli import main

main()
