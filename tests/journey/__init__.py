"""The product as its users meet it; read these first."""
