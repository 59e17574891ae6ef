"""What the rigs share; README.md beside it says what is in which module."""
