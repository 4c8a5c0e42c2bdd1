"""The official client, reduced to encoding requests, and our model as its classes."""
