"""The bundled API: it shows each feature once, and is what ``serve`` and ``dev`` run."""
