"""The Agentic Commerce Protocol (ACP) 2026-04-17, spoken so that the rest of Lapel sees UCP."""
