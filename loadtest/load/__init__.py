"""A load with a shape: what it asked, measured from when it meant to, judged by what arrived."""
