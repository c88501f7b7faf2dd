"""Models that are asked over the network for an opinion. No framework inside; settings are passed in."""
