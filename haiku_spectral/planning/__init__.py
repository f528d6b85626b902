"""What a training of some size needs: memory, traffic and time, before anything is rented."""
