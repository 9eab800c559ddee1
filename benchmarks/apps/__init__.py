"""Each case in each framework: `make(case name) -> ASGI app`, or None where the framework has nothing like it."""
