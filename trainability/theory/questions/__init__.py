"""What is asked of the theory: one file per question."""
