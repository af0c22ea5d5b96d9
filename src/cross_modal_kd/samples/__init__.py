"""The one table that everything flows from: its schema, its splits, its pairs, and where its bytes lie."""
