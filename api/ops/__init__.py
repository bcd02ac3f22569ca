"""What the operations console shows, asked once however many look."""
