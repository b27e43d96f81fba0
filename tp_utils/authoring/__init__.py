"""Solutions to student notebooks; executing and rendering them."""
