"""The stages from raw data to an evaluated student: thin nodes over the rooms of the method."""
