"""S3: bucket policies are checked before they are stored."""
