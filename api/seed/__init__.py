"""The seed documents' endpoint names and bodies, and what they mean here. Pure."""
