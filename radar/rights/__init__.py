"""Rights of persons concerned: access, correction, own statement, objection, destruction, and until when data are
kept.
"""
