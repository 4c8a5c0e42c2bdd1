"""The TWS Trading Framework."""
