"""A company that drives people through the City, behind UCP and its extension `dev.lapel.rides`."""
