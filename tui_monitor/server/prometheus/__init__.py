"""Prometheus's HTTP API, so that promtool, Grafana and a federating Prometheus can ask."""
