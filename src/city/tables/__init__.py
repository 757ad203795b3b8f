"""Restaurants that take bookings: one group with several, and one of its own."""
