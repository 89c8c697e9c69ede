"""Rules over queries, the alerts they raise, and what people do about them."""
