"""Networks on GPUs: one generator of kernels, for GPUs and, in tests, for CPUs."""
