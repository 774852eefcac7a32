"""Integrals and sums that closed forms need; they know numbers, not laws."""
