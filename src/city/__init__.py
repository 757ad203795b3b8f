"""The City: merchants, couriers and a bank of a small simulated city behind public protocols."""
