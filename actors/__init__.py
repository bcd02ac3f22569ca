"""Ray: connection actors, sender pools, the OTP lane; providers and the rendering of templates."""
