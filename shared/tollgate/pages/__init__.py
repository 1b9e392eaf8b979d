"""The pages that clients see: values in, HTML out. No JavaScript, nothing from elsewhere."""
