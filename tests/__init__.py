"""What Countersign promises, as tests; read tests/journey first."""
