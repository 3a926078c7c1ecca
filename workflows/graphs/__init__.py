"""The workflows that come with Countersign; a team starts from them."""
