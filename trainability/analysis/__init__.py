"""Rates with intervals, tests of the theory, fits; table in, table out."""
