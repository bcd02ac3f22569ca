"""What a delivery costs on disk and in the writer, over a day like a large shop's."""
