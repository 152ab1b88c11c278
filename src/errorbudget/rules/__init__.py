"""Rules out of objectives: Prometheus, Alertmanager and Grafana."""
