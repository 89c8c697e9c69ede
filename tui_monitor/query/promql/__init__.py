"""PromQL, whole: language, types and vectorised evaluation."""
