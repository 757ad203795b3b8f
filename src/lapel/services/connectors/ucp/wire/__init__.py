"""The wire shapes of UCP, by subject; what Lapel does not use of them is ignored."""
