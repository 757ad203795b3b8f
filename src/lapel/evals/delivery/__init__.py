"""Delivery tasks with the orders that must result (VitaBench), by the brain or by a model."""

from lapel.evals.delivery.endpoint import EndpointError
from lapel.evals.delivery.measure import DeliveryReport, measure_delivery

__all__ = ["DeliveryReport", "EndpointError", "measure_delivery"]
