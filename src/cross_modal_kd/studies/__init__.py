"""The studies' wing: each folder whole (configuration, nodes, pipeline); nothing of the method imports it."""
