"""The figures of the report: data in, a matplotlib figure out."""
