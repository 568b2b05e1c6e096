"""What Redis does for the service: workers are woken and requests counted. Nothing is kept there that must
not be lost: without Redis work is done when the schedule looks, and nobody is refused.
"""
