"""The numbers behind the figures of the report, as plain values: the page is made from them without any model."""
