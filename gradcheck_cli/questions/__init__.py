"""What is asked: exact numbers, points, and the Question with its batches."""
