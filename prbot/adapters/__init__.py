"""The world: each foreign library enters by one door."""
