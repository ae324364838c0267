"""How good is the drummer? Scores, humble rivals, and a report over a whole corpus."""
