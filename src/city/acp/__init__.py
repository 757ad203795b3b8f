"""The City's door for the Agentic Commerce Protocol (ACP) 2026-04-17.

A shop behind it is like any other: the same shelves, couriers and bank. Only what is said differs.
"""
