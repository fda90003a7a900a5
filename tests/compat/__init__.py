"""The book's readers: their scripts run here, by the same names and with the same results, and without the original's faults."""
