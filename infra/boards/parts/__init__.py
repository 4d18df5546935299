"""Parts: what a board is made of, each as the JSON that Grafana keeps."""
