"""The colors of all figures, also of those that are drawn without Matplotlib."""

from __future__ import annotations

INK = "#222222"
MUTED = "#767676"
GRID = "#e3e3e3"

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Told apart with any color vision (Okabe & Ito 2008, "Color universal design"); its yellow is
left out, too pale for lines on white."""
