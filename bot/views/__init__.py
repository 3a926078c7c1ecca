"""What people see: pure functions from records to Block Kit."""
