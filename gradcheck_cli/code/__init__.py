"""Code: a person's own functions, modules and kernels on trial."""
