"""Elastic Load Balancing v2: trust stores, mutual authentication, transforms, and AWS's checks.

Application Load Balancers, and Network Load Balancers with TCP listeners to one of them. Not
modelled: gateway load balancers, other listeners and targets of a network one, Lambda targets'
permissions, trust store sharing, capacity reservations. Health is what the data path reports.
"""
