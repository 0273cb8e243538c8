"""AWS Certificate Manager: certificates that are really signed, once DNS really validates them."""
