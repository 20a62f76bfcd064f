"""The server that runs by itself: uvicorn, bounded where it is not."""
