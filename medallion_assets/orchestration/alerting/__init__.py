"""What tells people that something failed, is late or stands still: incidents, channels, and the sensors that look.

What asks for runs belongs to `sensors`; what is late is told by `lakehouse/monitoring`.
"""
