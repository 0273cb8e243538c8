"""Elastic Load Balancing v2: trust stores, mutual authentication, transforms, and AWS's checks.

Application Load Balancers only: network and gateway ones, Lambda targets' permissions, trust store
sharing, capacity reservations and health checks are not modelled.
"""
