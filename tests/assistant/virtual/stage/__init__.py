"""A user, their devices, a shop and a bank around the real assistant, all in virtual time."""
