"""Cases for .ci/fuzz.py: a module a kind, with `make(rng, number, folder)` and `check(case, folder)`."""
