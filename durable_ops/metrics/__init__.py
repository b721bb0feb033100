"""Figures for Prometheus at `/metrics`. What is exposed stands in `docs/production.md`."""
