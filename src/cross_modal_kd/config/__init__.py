"""Typed parameters: one pydantic model per block of conf/*/parameters*.yml. Imports neither torch nor kedro."""
