"""What is kept, and how it is read back: SQLite behind one interface."""
