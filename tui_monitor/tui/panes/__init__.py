"""One file per pane; `table` is their register."""
