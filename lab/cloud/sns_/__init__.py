"""SNS: a topic's policy is a policy, and says which AWS services may publish."""
