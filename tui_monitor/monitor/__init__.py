"""The façade: what every face may ask and do."""
