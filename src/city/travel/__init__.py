"""An airline, a railway and hotels, behind UCP and its extension `dev.lapel.travel`."""
