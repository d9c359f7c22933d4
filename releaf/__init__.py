import os

# Set before albumentations is imported: it would otherwise ask the network for a newer release.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

__version__ = "0.1.0"
