"""What `doctor` looks at, one module for each subject. Nothing here writes, or asks the network."""
