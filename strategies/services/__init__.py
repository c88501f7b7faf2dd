"""What the strategies floor offers to the floors above it."""
