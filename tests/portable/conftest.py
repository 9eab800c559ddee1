"""The board and its tests run with the name `quart`, in processes of their own: see test_portable.py."""

collect_ignore = ["app"]
