"""A REQUEST authorizer of API Gateway: a JWT and the client's certificate, together."""
