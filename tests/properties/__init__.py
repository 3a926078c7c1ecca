"""What holds for every input, found by trying many."""
