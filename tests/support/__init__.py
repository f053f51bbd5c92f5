"""What tests of several tiers share: real servers, raw clients, and one way to wait."""
