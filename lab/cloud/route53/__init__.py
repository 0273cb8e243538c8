"""Route 53: private zones belong to VPCs that exist, and a change batch is applied whole or not."""
