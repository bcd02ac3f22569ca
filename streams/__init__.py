"""Faust: what is consumed, decided and handed on."""
